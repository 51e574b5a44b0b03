#include "timing/costs.hpp"

namespace partita::tool {

Costs costs_of(const Board& board) {
    const auto time = [&](std::uint64_t instructions) { return (instructions * board.instruction_ps + 999) / 1000; };
    return {time(PARTITA_COST_PREEMPT), time(PARTITA_COST_SWITCH), time(PARTITA_COST_LONGEST)};
}

}  // namespace partita::tool
