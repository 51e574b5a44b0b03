// Virtio devices of partitions, and who serves them.
#pragma once

#include "plan/plan.hpp"

namespace partita::tool {

// Gives the partitions that ask for them their devices, and their servers. Needs to know which interrupts their devices have.
void plan_virtio(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics);

}  // namespace partita::tool
