// Where a partition's images lie in its own address space, and how its first virtual CPU starts.
#pragma once

#include "plan/plan.hpp"

namespace partita::tool {

// A file of the description; what: in words. None: it cannot be read, which was told.
[[nodiscard]] std::optional<Bytes> read_image(const Placed<std::filesystem::path>& path, const char* what, Diagnostics& diagnostics);

// Reads kernel and initrd, places them and the device tree, and fills copies, patches, entry and registers.
void place_images(const Plan& plan, PlannedPartition& partition, Diagnostics& diagnostics);

}  // namespace partita::tool
