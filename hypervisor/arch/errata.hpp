// Errata that the hypervisor must know of, by MIDR (DDI 0406C B4.1.105: implementer, variant, part, revision).
#pragma once

#include <cstdint>

namespace partita {

struct Erratum {
    std::uint32_t number;
    std::uint32_t part;         // MIDR without variant and revision
    std::uint32_t first, last;  // variant and revision, as rNpM is 0xNM
};

inline constexpr std::uint32_t cortex_a15 = 0x410f'c0f0, midr_part = 0xff0f'fff0;

// HSR.SRT may name the wrong register of a T32 store (Cortex-A15 erratum 766422): the instruction is decoded instead.
inline constexpr Erratum wrong_thumb_store{766422, cortex_a15, 0x00, 0x04};

[[nodiscard]] constexpr bool applies(const Erratum& erratum, std::uint32_t midr) {
    const std::uint32_t release = (midr >> 20 & 15u) << 4 | (midr & 15u);
    return (midr & midr_part) == erratum.part && erratum.first <= release && release <= erratum.last;
}

}  // namespace partita
