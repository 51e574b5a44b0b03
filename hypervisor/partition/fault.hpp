// What a partition did wrong, told once as a fact. The host tool makes sentences of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "partition/partition.hpp"

namespace partita {

struct Fault {
    std::string_view cause;     // "read", "write", "fetch", "table-walk", "undecoded"
    std::uint32_t size = 0;     // bytes; 0: unknown
    std::uint32_t address = 0;  // guest virtual
    std::uint64_t ipa = 0;
    std::string_view reason;  // "unmapped", "permission", "no-syndrome", "external", "table-walk"
};

// What a fault leads to by the description.
inline constexpr std::uint32_t fault_ends = PARTITA_ON_FAULT_HALT | PARTITA_ON_FAULT_STOP | PARTITA_ON_FAULT_RESTART;
// ... as the log names it: "abort" where the guest is told and nothing else.
[[nodiscard]] std::string_view policy_of(const Partition& partition);

// Whether the partition may report once more in this second.
[[nodiscard]] bool may_report(Partition& partition);

// Reports a fault of a loaded vCPU, unless its partition has used up this second's reports.
void report(Vcpu& vcpu, const Fault& fault, std::string_view action);

}  // namespace partita
