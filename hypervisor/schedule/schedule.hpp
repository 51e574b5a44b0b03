// Whose turn it is on a CPU, among the vCPUs that are pinned to it. One model: the CPU's frame says who may run (frame.hpp); of those
// the most urgent does; those of the same priority take turns of a slice; who is over its budget (budget.hpp) waits. Where none of
// them wants to, those run that may use what is left. A decision takes the same time however many there are, and sets the
// hypervisor's timer once; a CPU of one vCPU takes no timer interrupt for it.
#pragma once

#include <cstdint>

#include "schedule/cpu.hpp"

namespace partita {

// Changes a vCPU's state, of one that is paused the one that it resumes with. Only on its CPU.
void become(Vcpu& vcpu, RunState state);

// The vCPU to run next, or nullptr when none may. What ran since the last decision is charged to it. A turn that a more urgent vCPU
// or the end of a window interrupts goes on later with what is left of its slice.
[[nodiscard]] Vcpu* pick(Cpu& cpu, timer::Ticks now);

// Gives the rest of the turn to the others of its priority.
void yield(Vcpu& vcpu);

// The time at which this CPU must decide again: the end of the window, of the turn if another waits for it, of the budget; the
// emulated timer of the loaded vCPU, the timers of those that sleep parked.
[[nodiscard]] timer::Ticks next_deadline(const Cpu& cpu);

// When the first of its timers fires, as they are in memory: a time of the physical counter.
[[nodiscard]] timer::Ticks wakes_at(const Vcpu& vcpu);

// A vCPU was parked that sleeps: notes when it is to wake.
void note_sleeper(Cpu& cpu, Vcpu& vcpu);

// Finds out when the first clock of the partitions whose first vCPU is on this CPU is due.
void find_alarm(Cpu& cpu);

// The vCPU waits for an answer to its request until then.
void wait_until(Vcpu& vcpu, timer::Ticks time);

// Sets the hypervisor's timer for that time, or for the next tick where the system has one.
void arm_timer(Cpu& cpu);

// CNTHP fired: wakes whose timer is due, renews budgets, and settles the emulated timers.
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
