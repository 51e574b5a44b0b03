// Who sends to whom.
#pragma once

#include <string>

#include "plan/plan.hpp"

namespace partita::tool {

// Each channel with the interrupt of each end; "" where there are none.
[[nodiscard]] std::string channels_as_text(const Plan& plan);
// The same as shapes below `y`, which becomes their lower border.
[[nodiscard]] std::string draw_channels(const Plan& plan, int& y);

}  // namespace partita::tool
