// What the hypervisor itself takes from the partitions' time.
#pragma once

#include "board/board.hpp"
#include "timing/supply.hpp"

namespace partita::tool {

struct Costs {
    Nanoseconds preempt = 0;  // an interrupt for a vCPU that does not run, until its first instruction
    Nanoseconds change = 0;   // from one vCPU to another
    Nanoseconds longest = 0;  // the same behind the longest path that cannot be interrupted: so late a window, or a job, can begin
};

// The ceilings of `partita bench` (tests/bench/ceilings.json) and the bound of the hostile suite (tests/hostile/bound.json), in the
// board's time for an instruction.
[[nodiscard]] Costs costs_of(const Board& board);

}  // namespace partita::tool
