#include "timing/costs.hpp"

#include <algorithm>

namespace partita::tool {

Costs costs_of(const Board& board) {
    const auto time = [&](std::uint64_t instructions) { return (instructions * board.instruction_ps + 999) / 1000; };
    // What was seen, or what one step of clearing memory (32 KiB of a MiB, partition/loader.cpp) and a wake-up behind it add up to.
    const std::uint64_t longest = std::max<std::uint64_t>(PARTITA_COST_HOG, PARTITA_COST_WAKE + PARTITA_COST_SCRUB / 32);
    return {time(PARTITA_COST_PREEMPT), time(PARTITA_COST_SWITCH), time(longest)};
}

}  // namespace partita::tool
