// A physical CPU: what is loaded on it, what is pinned to it, and what others posted to it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "cpu_pointer.hpp"
#include "machine/timer.hpp"
#include "partita/trace.h"
#include "partition/partition.hpp"

namespace partita {

struct Cpu {
    std::uint32_t index = 0;
    std::uint32_t interface = 0;  // this CPU's bit in the distributor's target masks
    Vcpu* loaded = nullptr;       // whose registers this CPU holds
    Vcpu* chosen = nullptr;       // whose turn it is: `loaded`, or one whose partition is being loaded
    std::uint32_t ready = 0;      // Vcpu::bit of each that can run
    std::uint32_t asleep = 0;     // ... of each that is blocked
    Vcpu* vfp_owner = nullptr;    // whose VFP registers this CPU holds
    bool reschedule = false;      // looked at once at the end of every exit
    bool has_thumbee = false;
    bool timer_enabled = false;  // the virtual timer's interrupt, in the GIC, while no vCPU is loaded
    bool vfp_open = false;       // HCPTR lets the loaded vCPU use VFP
    std::uint32_t hdcr_reset = 0;
    timer::Ticks slice = 0;  // 0: not shared
    timer::Ticks tick = 0;   // 0: none
    timer::Ticks armed = 0;  // what the hypervisor timer of this CPU is set for

    partita_trace_record* trace = nullptr;  // where its next record goes; nullptr: the system has no trace
    partita_trace_record *trace_begin = nullptr, *trace_end = nullptr;

    timer::Ticks alarm = 0;   // when the first of its partitions' clocks is due
    bool find_alarm = false;  // ... is to be found anew

    // Whose turn it is among vCPUs of the same priority, and until when. At the index of the first of them.
    struct Turn {
        std::uint32_t bit = 0;
        timer::Ticks end = 0;
    };
    std::array<Turn, PARTITA_MAX_VCPUS> turns{};

    std::array<Vcpu*, PARTITA_MAX_VCPUS> vcpus{};  // the most urgent first
    std::uint32_t count = 0;
    std::array<Vcpu*, PARTITA_MAX_PARTITIONS> last_of{};  // the vCPU of each partition that ran here last

    std::atomic<std::uint32_t> inbox{0};  // Vcpu::bit of each vCPU with events
    std::atomic<std::uint32_t> looks{0};  // ... of each of whose interrupts one changed
};

// Whether something waits to be carried out on it.
[[nodiscard]] inline bool posted(const Cpu& cpu) {
    return (cpu.inbox.load(std::memory_order_relaxed) | cpu.looks.load(std::memory_order_relaxed)) != 0;
}

[[nodiscard]] inline Cpu& this_cpu() { return *static_cast<Cpu*>(cpu_pointer()); }

}  // namespace partita
