// Which lines of a partition's PL061 its ends of channels have: for the hypervisor, and for the tool, which names them.
#pragma once

#include <cstdint>

#include "partita/system_image.h"

namespace partita {

struct PortLines {
    static constexpr std::uint32_t none = ~0u;
    std::uint32_t told = none, ring = none;
};

// The lines of an end, from `next` on, which is moved behind them.
[[nodiscard]] constexpr PortLines lines_of(std::uint32_t kind, bool sends, std::uint32_t& next) {
    const bool memory = kind == PARTITA_CHANNEL_MEMORY;
    PortLines out;
    if (!memory && kind != PARTITA_CHANNEL_DOORBELL) return out;
    if (memory || !sends) out.told = next++;
    if (memory || sends) out.ring = next++;
    return out;
}

}  // namespace partita
