// What the hypervisor itself takes from the partitions' time.
#pragma once

#include "board/board.hpp"
#include "timing/supply.hpp"

namespace partita::tool {

struct Costs {
    Nanoseconds preempt = 0;  // an interrupt for a vCPU that does not run, until its first instruction
    Nanoseconds change = 0;   // from one vCPU to another
    // The secure world's loop on the first CPU, each millisecond; its interrupts of another one: the watchdog's every 50 ms, and one for
    // what is in flash now, of which each takes 8 ms (secure/log.hpp).
    Nanoseconds secure_loop = 0, secure_look = 0;
    static constexpr Nanoseconds secure_loop_period = 1'000'000, secure_look_period = 5'000'000;
    Nanoseconds longest = 0;  // the same behind the longest path that cannot be interrupted: so late a window, or a job, can begin
};

// The ceilings of `partita bench` (tests/bench/ceilings.json) and the bound of the hostile suite (tests/hostile/bound.json), in the
// board's time for an instruction.
[[nodiscard]] Costs costs_of(const Board& board);

}  // namespace partita::tool
