// Networks between partitions: their ports, and who serves them.
#pragma once

#include "plan/plan.hpp"

namespace partita::tool {

// Gives each port of a network its address and group, and the network's uplink. After the partitions' virtio devices and servers are known.
void plan_networks(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics);

}  // namespace partita::tool
