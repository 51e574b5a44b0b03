// The description: the plan as the tables of abi/partita/system_image.h.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "pack/pack.hpp"

namespace partita::tool {

struct OwnMemory {
    std::uint64_t base = 0;                           // of the hypervisor
    std::uint64_t description_offset = 0;             // behind its image
    std::uint64_t partition_size = 0, vcpu_size = 0;  // of what it keeps of each
};

// Bytes of the description, checked with the hypervisor's own checker.
[[nodiscard]] std::expected<Bytes, std::string> describe_system(const Plan& plan, const OwnMemory& own, const PackOptions& options);

}  // namespace partita::tool
