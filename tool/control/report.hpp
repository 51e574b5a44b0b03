// What a running system told, as text for people and as JSON for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/client.hpp"

namespace partita::tool {

[[nodiscard]] const char* phase_name(std::uint32_t phase);
// ... or that it has nothing to run.
[[nodiscard]] const char* state_name(const partita_partition_state& state);
[[nodiscard]] const char* reason_name(std::uint32_t reason);

struct PartitionStats {
    RunningPartition partition;
    std::vector<partita_vcpu_state> vcpus;
    std::optional<partita_history> history{};  // where it is asked for
};

// One line for each.
[[nodiscard]] std::string list_as_text(const std::vector<RunningPartition>& all);
[[nodiscard]] std::string list_as_json(const std::vector<RunningPartition>& all);
// All that is known of one.
[[nodiscard]] std::string info_as_text(const PartitionStats& one);
// Processor time, and exits by their causes.
[[nodiscard]] std::string stats_as_text(const std::vector<PartitionStats>& all);
[[nodiscard]] std::string stats_as_json(const std::vector<PartitionStats>& all);

}  // namespace partita::tool
