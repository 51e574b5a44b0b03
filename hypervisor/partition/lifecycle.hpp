// Start, stop and restart of partitions: atomic steps, each taken on the CPU that owns what it touches.
#pragma once

#include <cstdint>

#include "partition/partition.hpp"

namespace partita {

// Asks for the partition's end; its vCPUs stop on their CPUs, and the last one carries out `ending`. Any CPU.
void end(Partition& partition, Ending ending);

// Takes a vCPU out of service on its CPU. The last one of its partition finishes the partition.
void retire(Vcpu& vcpu);

// Begins a life: the first vCPU loads the partition's memory, then runs. On the first vCPU's CPU.
void begin(Partition& partition);

// The memory is ready: the first vCPU starts. On the first vCPU's CPU.
void enter(Partition& partition);

// PSCI CPU_ON. Any vCPU of the partition may call it. A PSCI result.
[[nodiscard]] std::int32_t power_on(Partition& partition, std::uint32_t index, std::uint32_t entry, std::uint32_t context);

// Gives the vCPU's interrupt controller and registers the state of power-on. On its CPU.
void power_up(Vcpu& vcpu, std::uint32_t entry, std::uint32_t r0, std::uint32_t r1, std::uint32_t r2);

}  // namespace partita
