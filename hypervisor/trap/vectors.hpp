// The vectors that fit a CPU (vectors.S).
#pragma once

#include <cstdint>

#include "arch/registers.hpp"

extern "C" {
extern const char hyp_vectors[], hyp_vectors_icache[], hyp_vectors_predictor[];
extern const char hyp_vectors_traced[], hyp_vectors_icache_traced[], hyp_vectors_predictor_traced[];
}

namespace partita {

// How a CPU's branch predictor is kept from what a guest taught it, by its part number (MIDR).
enum class Hardening : std::uint32_t { none, icache, predictor };

[[nodiscard]] constexpr Hardening hardening(std::uint32_t midr) {
    constexpr std::uint32_t arm = 0x41, a12 = 0xc0d, a17 = 0xc0e, a15 = 0xc0f;
    const std::uint32_t part = midr >> 4 & 0xfffu;
    if (midr >> 24 != arm) return Hardening::none;
    if (part == a15) return Hardening::icache;
    return part == a12 || part == a17 ? Hardening::predictor : Hardening::none;
}

[[nodiscard]] inline const char* vectors_for(std::uint32_t midr, bool traced) {
    switch (hardening(midr)) {
        case Hardening::icache: return traced ? hyp_vectors_icache_traced : hyp_vectors_icache;
        case Hardening::predictor: return traced ? hyp_vectors_predictor_traced : hyp_vectors_predictor;
        case Hardening::none: break;
    }
    return traced ? hyp_vectors_traced : hyp_vectors;
}

}  // namespace partita
