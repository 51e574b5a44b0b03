// What a server has of the virtio devices of others: their ends of channels, and the memory that they share.
#pragma once

#include "plan/guest_tree.hpp"
#include "plan/plan.hpp"

namespace partita::tool {

// The most ports of a console: its queues are two for each, and two for control, of the 32 that are told apart; RPMsg has no more. The most
// bytes of a message of RPMsg.
inline constexpr std::size_t most_virtio_ports = 15, most_rpmsg_bytes = 496;

// That each console, or RPMsg, has ports that it can have, and not too many. After channels were planned.
void check_virtio_ports(const Plan& plan, Diagnostics& diagnostics);

// Where servers see their clients' memory, and keep what is to outlive them.
void place_served_memory(Plan& plan, Diagnostics& diagnostics);

// What the partition serves, as its device tree tells it.
[[nodiscard]] std::vector<ServedDevice> served_devices(const Plan& plan, const PlannedPartition& server);

}  // namespace partita::tool
