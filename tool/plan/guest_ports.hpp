// A partition's ends of channels in its device tree (docs/channels.md).
#pragma once

#include "plan/guest_tree.hpp"
#include "plan/tree_writer.hpp"

namespace partita::tool {

// /hypervisor/channels: what the program needs to know of them, by the channel's name.
void write_ports(TreeWriter& tree, const std::vector<GuestPort>& ports);

// At the root: memory that is not RAM to be given out (reserved-memory): channels', and what a server sees of the partition's.
void write_reserved_memory(TreeWriter& tree, const GuestTreeRequest& request);
// ... and the channels' as devices, for kernels that let programs map such (generic-uio).
void write_memory_devices(TreeWriter& tree, const std::vector<GuestPort>& ports);

// The PL061 whose lines are the ends of doorbells and memory, by the channels' names.
void write_gpio(TreeWriter& tree, const std::vector<GuestPort>& ports, std::uint32_t clock);

}  // namespace partita::tool
