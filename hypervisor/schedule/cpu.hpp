// A physical CPU: what is loaded on it, what is pinned to it, and what others posted to it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "cpu_pointer.hpp"
#include "machine/timer.hpp"
#include "partita/trace.h"
#include "partition/partition.hpp"
#include "schedule/frame.hpp"

namespace partita {

struct Cpu {
    std::byte* panic_stack = nullptr;  // the end of a stack for exceptions in Hyp mode, whose own may be used up (vectors.S)
    std::uint32_t index = 0;
    std::uint32_t interface = 0;  // this CPU's bit in the distributor's target masks
    Vcpu* loaded = nullptr;       // whose registers this CPU holds
    bool reschedule = false;      // looked at once at the end of every exit
    bool alone = false;           // its one vCPU has it without end: no windows, no budget
    bool has_thumbee = false;
    bool wrong_thumb_store = false;  // the syndrome may name a wrong register (arch/errata.hpp)
    bool timer_enabled = false;      // the virtual timer's interrupt, in the GIC, while no vCPU is loaded
    bool vfp_open = false;           // HCPTR lets the loaded vCPU use VFP
    Vcpu* vfp_owner = nullptr;       // whose VFP registers this CPU holds
    std::uint32_t hdcr_reset = 0;

    // Who may run (schedule.cpp): sets of Vcpu::bit.
    std::uint32_t ready = 0;   // can run
    std::uint32_t asleep = 0;  // blocked
    std::uint32_t inside = 0;  // the window is theirs
    std::uint32_t spent = 0;   // over their budget
    std::uint32_t slack = 0;   // run when nobody else wants to, outside their windows too
    std::uint32_t soft = 0;    // ... inside their windows, where they are over their budget
    std::uint32_t able = 0;    // among whom the last decision was
    bool spare = false;        // ... nobody else wanted to run: nothing is drawn from budgets
    Vcpu* chosen = nullptr;    // whose turn it is: `loaded`, or one whose partition is being loaded
    timer::Ticks since = 0;    // the last decision

    FramePosition frames;
    ScheduleChange* change = nullptr;  // the system's
    timer::Ticks slice = 0;            // of the turns among vCPUs of the same priority; never: each keeps its turn until it sleeps
    timer::Ticks tick = 0;             // 0: none
    timer::Ticks activation = 0;       // what one with a budget pays each time it begins to run
    timer::Ticks soonest = 0;          // not later than the first sleeper's timer or renewed budget that the window is for
    timer::Ticks console_due = 0;      // when it is to send what waits for the board's UART, or never
    timer::Ticks faults_due = 0;       // ... what the System MMU has stopped, or never
    timer::Ticks armed = 0;            // what the hypervisor timer of this CPU is set for

    partita_trace_record* trace = nullptr;  // where its next record goes; nullptr: the system has no trace
    partita_trace_record *trace_begin = nullptr, *trace_end = nullptr;

    timer::Ticks alarm = 0;   // when the first of its partitions' clocks is due
    bool find_alarm = false;  // ... is to be found anew

    std::array<Vcpu*, PARTITA_MAX_VCPUS> vcpus{};  // the most urgent first
    std::uint32_t count = 0;
    std::array<Vcpu*, PARTITA_MAX_PARTITIONS> last_of{};  // the vCPU of each partition that ran here last

    std::atomic<std::uint32_t> inbox{0};  // Vcpu::bit of each vCPU with events
    std::atomic<std::uint32_t> looks{0};  // ... of each of whose interrupts one changed
};
static_assert(offsetof(Cpu, panic_stack) == 0);

// Whether something waits to be carried out on it.
[[nodiscard]] inline bool posted(const Cpu& cpu) {
    return (cpu.inbox.load(std::memory_order_relaxed) | cpu.looks.load(std::memory_order_relaxed)) != 0;
}

[[nodiscard]] inline Cpu& this_cpu() { return *static_cast<Cpu*>(cpu_pointer()); }

}  // namespace partita
