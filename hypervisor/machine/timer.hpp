// The generic timer: counter, and the hypervisor's own comparator (ARM DDI 0406C.d B8.1).
#pragma once

#include <cstdint>

#include "arch/registers.hpp"
#include "barrier.hpp"

namespace partita::timer {

using Ticks = std::uint64_t;
inline constexpr Ticks never = ~Ticks{0};

// The counter, read in program order (B8.1.2: without the barrier it may be read early).
[[nodiscard]] inline Ticks now() {
    isb();
    return CNTPCT::read();
}

// Sets the hypervisor's comparator: its interrupt comes when the counter reaches `deadline`.
inline void arm(Ticks deadline) {
    if (deadline == never) {
        CNTHP_CTL::write(timer_control::masked);
        return;
    }
    CNTHP_CVAL::write(deadline);
    CNTHP_CTL::write(timer_control::enable);
}

}  // namespace partita::timer
