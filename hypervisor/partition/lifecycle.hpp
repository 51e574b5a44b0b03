// Start, stop and restart of partitions: atomic steps, each taken on the CPU that owns what it touches.
#pragma once

#include <cstdint>

#include "partition/partition.hpp"

namespace partita {

// Asks for the partition's end: each of its vCPUs, off or not, does its part on its CPU, and the last one carries out
// `ending`. So nothing that was posted in one life is left for the next. Any CPU. The first reason that is given counts; false: it does
// not live, or another was given.
bool end(Partition& partition, Ending ending, partita_reset_reason reason);

// Ends all partitions, for good: what one of them did, or may be about to do, is to reach nothing any more. Any CPU.
void halt_system();
// The log is told how it is; limited: only as often as what else it does wrong.
void tell_state(Partition& partition, const char* state, bool limited);
// What the description says of faults, where that is more than telling the guest: its end, or that of all.
void end_by_fault(Partition& partition);

// The partition did not feed its watchdog. Any CPU.
void bite(Partition& partition);

// A vCPU's part of its partition's end. Nothing of it is loaded any more. On its CPU.
void retire(Vcpu& vcpu);

// All vCPUs have stopped: begins to tell where they were. On the first vCPU's CPU.
void tell_end(Partition& partition);

// ... and when that is told, or there is nothing to tell: the partition is off, or begins another life.
void conclude(Partition& partition);

// CPU_OFF. The last one ends the partition as SYSTEM_OFF does: nobody is left who could start it again. On its CPU.
void power_down(Vcpu& vcpu);

// Carries out what power_on() asked for, unless the partition has ended meanwhile. On the vCPU's CPU.
void start(Vcpu& vcpu);

// The first life, where the description wants it from boot on: it is on its way for whoever asks from now on.
void begin_at_boot(Partition& partition);

// Begins a life: the first vCPU loads the partition's memory, then runs. On the first vCPU's CPU.
void begin(Partition& partition);

// The memory is ready: the first vCPU starts. The other ends of its channels are yet to be told (enter_channels()). On the first vCPU's
// CPU.
void enter(Partition& partition);

// PSCI CPU_ON. Any vCPU of the partition may call it. A PSCI result.
[[nodiscard]] std::int32_t power_on(Partition& partition, std::uint32_t index, std::uint32_t entry, std::uint32_t context);

// Gives the vCPU's interrupt controller and registers the state of power-on. On its CPU.
void power_up(Vcpu& vcpu, std::uint32_t entry, std::uint32_t r0, std::uint32_t r1, std::uint32_t r2);

}  // namespace partita
