#include "timing/costs.hpp"

namespace partita::tool {

Costs costs_of(const Board& board) {
    const auto time = [&](std::uint64_t instructions) { return (instructions * board.instruction_ps + 999) / 1000; };
    // The longest stay in Hyp mode that hostile partitions reach (tests/hostile/bound.json), and a wake-up behind it.
    const std::uint64_t longest = PARTITA_COST_STAY + PARTITA_COST_WAKE;
    return {time(PARTITA_COST_PREEMPT), time(PARTITA_COST_SWITCH), time(longest)};
}

}  // namespace partita::tool
