// The page of a vCPU through which its hypercalls take and put what is longer than registers.
#pragma once

#include <cstdint>

#include "arch/address.hpp"
#include "partita/hypercall.h"
#include "partition/vcpu.hpp"

namespace partita {

inline void answer(Vcpu& vcpu, std::int32_t code) { vcpu.r[0] = static_cast<std::uint32_t>(code); }

// Whether so many bytes at that offset lie in the vCPU's message page.
[[nodiscard]] inline std::int32_t check_place(const Vcpu& vcpu, std::uint32_t offset, std::uint32_t size) {
    if (vcpu.message_page == 0) return PARTITA_NO_MESSAGE_PAGE;
    return offset % 4 == 0 && offset <= kPageSize && size <= kPageSize - offset ? PSCI_SUCCESS : PSCI_INVALID_PARAMETERS;
}

}  // namespace partita
