// The performance counters of a CPU that one virtual CPU has for itself (`pmu = "given"`): nothing moves them at a switch.
#pragma once

#include "partition/partition.hpp"

namespace partita {

[[nodiscard]] inline bool has_counters(const Partition& partition) { return partition.is(PARTITA_PMU); }

// Stopped, zero and silent, as the architecture leaves them unknown at reset and a guest must not find those of an earlier life
// (DDI 0406C C12). On the vCPU's CPU, while it is off.
void reset_counters(Vcpu& vcpu);

// An interrupt of the counters, as the partition gets it: linked, and one for each CPU.
void link_counters(Vcpu& vcpu);

}  // namespace partita
