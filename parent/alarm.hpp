// When this partition is to be woken: the earliest time that was asked for.
#pragma once

#include <cstdint>

namespace partita::parent {

// At the latest then, in ticks; by interrupt of the virtual timer, which has no other use.
void wake_at(std::uint64_t time);

}  // namespace partita::parent
