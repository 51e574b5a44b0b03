// What is set aside for run time: the parent's store of images that arrive, and places for partitions that are made.
#pragma once

#include "plan/plan.hpp"

namespace partita::tool {

// Gives the parent its store, and checks that each partition of the pool has a place where it fits.
void plan_pool(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics);

}  // namespace partita::tool
