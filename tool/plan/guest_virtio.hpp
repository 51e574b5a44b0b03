// Virtio devices in device trees: in that of the partition that has one, and in its server's (docs/channels.md).
#pragma once

#include "plan/guest_tree.hpp"
#include "plan/tree_writer.hpp"

namespace partita::tool {

// At the root: transports, as Linux' binding has them (virtio,mmio).
void write_virtio(TreeWriter& tree, const std::vector<PlannedVirtio>& devices);

// /hypervisor/served: what a server needs to know of each.
void write_served(TreeWriter& tree, const std::vector<ServedDevice>& devices);

}  // namespace partita::tool
