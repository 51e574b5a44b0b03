// Channels between partitions: who sends and who receives, and by which interrupt each end is told.
#pragma once

#include "plan/guest_tree.hpp"
#include "plan/plan.hpp"

namespace partita::tool {

// Fills plan.channels and the partitions' ports. Needs to know which interrupts their devices have.
void plan_channels(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics);

// An end, as a device tree tells it.
[[nodiscard]] GuestPort guest_port(const Plan& plan, const PlannedPort& port);

// The partition's ends, as its device tree tells them: in the order of their numbers.
[[nodiscard]] std::vector<GuestPort> guest_ports(const Plan& plan, const PlannedPartition& partition);

}  // namespace partita::tool
