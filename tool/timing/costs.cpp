#include "timing/costs.hpp"

namespace partita::tool {

Costs costs_of(const Board& board) {
    const auto time = [&](std::uint64_t instructions) { return (instructions * board.instruction_ps + 999) / 1000; };
    // The longest stay in Hyp mode that hostile partitions reach (tests/hostile/bound.json), and a wake-up behind it.
    const std::uint64_t longest = PARTITA_COST_STAY + PARTITA_COST_WAKE;
    return {.preempt = time(PARTITA_COST_PREEMPT),
            .change = time(PARTITA_COST_SWITCH),
            .secure_loop = time(PARTITA_COST_SECURE_LOOP),
            .secure_look = time(PARTITA_COST_SECURE_LOOK),
            .longest = time(longest)};
}

}  // namespace partita::tool
