// The board's memory, given out: the hypervisor, the images, and each partition's RAM.
#pragma once

#include "plan/plan.hpp"

namespace partita::tool {

void plan_memory(Plan& plan, Diagnostics& diagnostics);

}  // namespace partita::tool
