// What a partition runs, as it is sent to a running system: a partita_guest, and behind it what its copies take.
#pragma once

#include <expected>
#include <string>

#include "image/kernel.hpp"
#include "plan/plan.hpp"

namespace partita::tool {

// `partition` is of a plan, and `regions` are those that it will be put into. An error in words where the hypervisor would refuse it.
[[nodiscard]] std::expected<Bytes, std::string> compile_guest(const PlannedPartition& partition, const std::vector<PlannedRegion>& regions);

}  // namespace partita::tool
