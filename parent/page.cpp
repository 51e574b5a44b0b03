#include "page.hpp"

#include "partita/guest/calls.h"

namespace partita::parent {

namespace {

alignas(page_size) std::uint8_t page[page_size];

}  // namespace

std::uint8_t* message_page() { return page; }

bool name_message_page() { return partita_call_message_page(reinterpret_cast<std::uint32_t>(page), 0, 0).r0 == PSCI_SUCCESS; }

}  // namespace partita::parent
