// The parent partition: what only it has, and what others need it for.
#pragma once

#include "plan/plan.hpp"

namespace partita::tool {

// The partition with the control channel, or null.
[[nodiscard]] PlannedPartition* parent_of(Plan& plan);

// That there is one at most, with its right, and one where something is left to it.
void check_parent(Plan& plan, Diagnostics& diagnostics);

// Gives it the page in which it keeps how partitions ended.
void place_history(Plan& plan, Diagnostics& diagnostics);

}  // namespace partita::tool
