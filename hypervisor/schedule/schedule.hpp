// Whose turn it is on a CPU, among the vCPUs that are pinned to it: the most urgent runs, and those of the same priority take turns
// of a slice. A decision takes the same time however many there are; a CPU of one vCPU takes no timer interrupt for it.
#pragma once

#include <cstdint>

#include "schedule/cpu.hpp"

namespace partita {

// Changes a vCPU's state. Only on its CPU.
void become(Vcpu& vcpu, RunState state);

// The vCPU to run next, or nullptr when none can. Starts a new slice where the turn changes. One that a more urgent vCPU
// interrupted goes on with its slice, whose time has gone on as well.
[[nodiscard]] Vcpu* pick(Cpu& cpu, timer::Ticks now);

// The time at which this CPU must look again: the end of the slice if another vCPU waits for it, the emulated timer of
// the loaded vCPU, the timers of those that sleep parked.
[[nodiscard]] timer::Ticks next_deadline(const Cpu& cpu);

// When the first of its timers fires, as they are in memory.
[[nodiscard]] timer::Ticks wakes_at(const Vcpu& vcpu);

// Finds out when the first clock of the partitions whose first vCPU is on this CPU is due.
void find_alarm(Cpu& cpu);

// Sets the hypervisor's timer for that time, or for the next tick where the system has one.
void arm_timer(Cpu& cpu);

// CNTHP fired: wakes whose timer is due, and settles the emulated timers.
void expire(Cpu& cpu, timer::Ticks now);

// Settles the emulated physical timer's line (CNTP_CTL.ISTATUS and PPI 30).
void settle_physical_timer(Vcpu& vcpu, timer::Ticks now);

// Makes a blocked vCPU runnable. Only on its CPU.
void wake(Vcpu& vcpu);

// Tells vcpu's CPU about events: by its inbox and one SGI. Any CPU, its own too.
void post(Vcpu& vcpu, std::uint32_t events);
// The same for a change of its interrupts.
void post_look(Vcpu& vcpu);
// A bit for a vCPU in one of the words of another CPU, and one SGI where the word was empty.
void deliver_elsewhere(Cpu& cpu, std::atomic<std::uint32_t>& word, std::uint32_t bit);

}  // namespace partita
