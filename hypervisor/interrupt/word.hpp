// The truth about one virtual interrupt in one 32-bit word.
#pragma once

#include <cstdint>

#include "arch/bits.hpp"

namespace partita::irq {

using Enabled = Field<std::uint32_t, 0>;
using Pending = Field<std::uint32_t, 1>;   // latched: an edge, a write to ISPENDR, or a physical interrupt that was taken
using Line = Field<std::uint32_t, 2>;      // the level of an emulated device's output
using Active = Field<std::uint32_t, 3>;    // active, and in no list register
using Edge = Field<std::uint32_t, 4>;      // as ICFGR tells it
using Hardware = Field<std::uint32_t, 5>;  // linked to the physical interrupt of the same number
using Group1 = Field<std::uint32_t, 6>;    // stored for IGROUPR, without effect: guests use one group
using Offered = Field<std::uint32_t, 7>;   // of a level: what a write to ISPENDR latched is in the list register
using Priority = Field<std::uint32_t, 12, 8>;
using Forced = Field<std::uint32_t, 13>;  // active by a write to ISACTIVER: no vCPU took it
using Targets = Field<std::uint32_t, 23, 16>;
using Owner = Field<std::uint32_t, 27, 24>;  // 1 + the vCPU whose list registers may hold it; 0: none
static_assert(disjoint<Enabled, Pending, Line, Active, Edge, Hardware, Group1, Offered, Priority, Forced, Targets, Owner>);

// Whether it asks to be signalled, apart from being active already.
[[nodiscard]] constexpr bool asks(std::uint32_t word) {
    const bool level_high = Line::test(word) && !Edge::test(word);
    return Enabled::test(word) && (Pending::test(word) || level_high);
}

}  // namespace partita::irq
