// Program status registers: modes, condition check, and the step over an instruction.
#pragma once

#include <cstdint>

#include "arch/bits.hpp"

namespace partita {

namespace psr {
using Mode = Field<std::uint32_t, 4, 0>;
using Thumb = Field<std::uint32_t, 5>;
using FiqMask = Field<std::uint32_t, 6>;
using IrqMask = Field<std::uint32_t, 7>;
using AbortMask = Field<std::uint32_t, 8>;
using BigEndian = Field<std::uint32_t, 9>;
using ItHigh = Field<std::uint32_t, 15, 10>;  // IT[7:2]
using Jazelle = Field<std::uint32_t, 24>;
using ItLow = Field<std::uint32_t, 26, 25>;  // IT[1:0]
using Flags = Field<std::uint32_t, 31, 28>;

inline constexpr std::uint32_t usr = 0x10, fiq = 0x11, irq = 0x12, svc = 0x13, abt = 0x17, und = 0x1b, sys = 0x1f;
}  // namespace psr

// Whether a guest may be resumed in this mode: never Hyp, Monitor or a reserved encoding.
[[nodiscard]] constexpr bool is_guest_mode(std::uint32_t psr_value) {
    switch (psr::Mode::get(psr_value)) {
        case psr::usr:
        case psr::fiq:
        case psr::irq:
        case psr::svc:
        case psr::abt:
        case psr::und:
        case psr::sys: return true;
        default: return false;
    }
}

[[nodiscard]] constexpr std::uint32_t it_state(std::uint32_t psr_value) {
    return psr::ItHigh::get(psr_value) << 2 | psr::ItLow::get(psr_value);
}

// ITAdvance() of DDI 0406C A2.5.2: a Thumb instruction inside an IT block was carried out or skipped.
[[nodiscard]] constexpr std::uint32_t advance_it(std::uint32_t psr_value) {
    const std::uint32_t it = it_state(psr_value);
    const std::uint32_t next = (it & 7u) == 0 ? 0u : (it & 0xe0u) | ((it << 1) & 0x1fu);
    return psr::ItLow::set(psr::ItHigh::set(psr_value, next >> 2), next & 3u);
}

// A state that a guest wrote, as one that an exception return may have: no Jazelle, and no IT block outside of T32 (B1.8.12).
[[nodiscard]] constexpr std::uint32_t returnable(std::uint32_t psr_value) {
    psr_value &= ~psr::Jazelle::mask;
    return psr::Thumb::test(psr_value) ? psr_value : psr_value & ~(psr::ItHigh::mask | psr::ItLow::mask);
}

// ConditionPassed() of DDI 0406C A8.3.1 for a condition code 0-15 and the flags N Z C V in psr_value.
[[nodiscard]] constexpr bool condition_holds(std::uint32_t condition, std::uint32_t psr_value) {
    const bool n = psr_value >> 31 & 1, z = psr_value >> 30 & 1, c = psr_value >> 29 & 1, v = psr_value >> 28 & 1;
    bool holds = true;
    switch (condition >> 1 & 7u) {
        case 0: holds = z; break;
        case 1: holds = c; break;
        case 2: holds = n; break;
        case 3: holds = v; break;
        case 4: holds = c && !z; break;
        case 5: holds = n == v; break;
        case 6: holds = n == v && !z; break;
        default: return true;
    }
    return (condition & 1u) != 0 ? !holds : holds;
}

}  // namespace partita
