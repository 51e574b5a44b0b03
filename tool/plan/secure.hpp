// The secure world of a system: whether the board has one, its partition's program, and who may ask it for what.
#pragma once

#include "plan/plan.hpp"

namespace partita::tool {

void plan_secure(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics);

}  // namespace partita::tool
