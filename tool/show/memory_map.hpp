// The board's physical memory, piece by piece, with owners.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/plan.hpp"

namespace partita::tool {

struct MapEntry {
    std::uint64_t begin = 0, size = 0;
    std::string owner;  // partition, "hypervisor", "images", "firmware", or "" for free memory
    std::string what;
    int partition = -1;
    std::uint64_t ipa = 0;
};

// RAM in ascending order, free pieces included.
[[nodiscard]] std::vector<MapEntry> memory_map(const Plan& plan);

}  // namespace partita::tool
