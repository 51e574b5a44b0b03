// The page through which hypercalls give what is longer than registers.
#pragma once

#include <cstdint>

namespace partita::parent {

inline constexpr std::uint32_t page_size = 4096;

[[nodiscard]] std::uint8_t* message_page();
// Tells the hypervisor where it is. False when it will not have it.
[[nodiscard]] bool name_message_page();

}  // namespace partita::parent
