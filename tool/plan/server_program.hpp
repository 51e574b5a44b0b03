// Whether the programs of servers can serve what is asked of them.
#pragma once

#include "config/diagnostic.hpp"
#include "plan/plan.hpp"

namespace partita::tool {

// After the images are placed: what a program says of itself is known then.
void check_server_programs(const Plan& plan, Diagnostics& diagnostics);

}  // namespace partita::tool
