// Virtio devices in device trees: in that of the partition that has one, and in its server's (docs/channels.md).
#pragma once

#include "plan/guest_tree.hpp"
#include "plan/tree_writer.hpp"

namespace partita::tool {

// At the root: transports, as Linux' binding has them (virtio,mmio). Bounced: they reach the pool of write_bounced() alone.
void write_virtio(TreeWriter& tree, const std::vector<PlannedVirtio>& devices, bool bounced);
// In reserved-memory: what a server sees of the partition's memory, where that is not all of it.
void write_bounced(TreeWriter& tree, const AddressRange& range);

// /hypervisor/served: what a server needs to know of each.
void write_served(TreeWriter& tree, const std::vector<ServedDevice>& devices);

}  // namespace partita::tool
