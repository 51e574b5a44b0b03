// Virtio disks of partitions, in memory of their servers.
#pragma once

#include "plan/plan.hpp"

namespace partita::tool {

// What can be said of a partition's disks without reading their images.
void check_disks(const PlannedPartition& partition, Diagnostics& diagnostics);

// Finds the disk of its server's that a partition's disk lies on, where it lies on one.
void find_real_disk(const Plan& plan, const PlannedPartition& server, PlannedDisk& disk, Diagnostics& diagnostics);

// That no two lie over each other, of which one can be written.
void check_real_disks(const Plan& plan, Diagnostics& diagnostics);

// Reads the disk's image, and gives it room in the address space of its server, the partition of that number, from that address on.
void place_disk(Plan& plan, std::size_t server, const PlannedPartition& client, PlannedDisk& disk, std::uint64_t from,
                Diagnostics& diagnostics);

}  // namespace partita::tool
