// A partition: its description, its address space, its interrupts and its console.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "arch/address.hpp"
#include "device/pl011.hpp"
#include "device/pl031.hpp"
#include "device/pl061.hpp"
#include "device/sp805.hpp"
#include "device/virtio.hpp"
#include "interrupt/virtual_gic.hpp"
#include "machine/console.hpp"
#include "machine/timer.hpp"
#include "message/channel.hpp"
#include "partita/hypercall.h"
#include "partita/system_image.h"
#include "partition/health.hpp"
#include "partition/masters.hpp"
#include "partition/vcpu.hpp"

namespace partita {

// pausing: some of its vCPUs have yet to be stopped; resuming: its times are set right, then it runs. telling: its vCPUs have stopped, and
// the log is told where they were. changing: it is off, and given something else to run.
enum class Phase : std::uint32_t { off, loading, running, pausing, paused, resuming, stopping, telling, changing };

// In the middle of a life, whether or not its vCPUs may run just now.
[[nodiscard]] constexpr bool lives(Phase phase) { return phase >= Phase::running && phase <= Phase::resuming; }

// What becomes of a partition whose vCPUs have all stopped.
enum class Ending : std::uint32_t { off, restart };

// Where the loader is (partition/loader.cpp), or the teller (partition/health.cpp): `item` is a vCPU, `offset` a line.
struct LoadCursor {
    enum class Step : std::uint32_t { release, scrub, copy, patch, done };
    Step step = Step::release;
    std::uint32_t item = 0;
    std::uint64_t offset = 0;
};

struct alignas(16) Partition {
    const partita_partition* description = nullptr;
    std::span<const partita_region> regions;
    partita_guest guest{};                 // what it runs, as described or as given to it since. Its magic is set in the second case
    std::span<const partita_copy> copies;  // ... and what that is filled with
    std::span<const partita_patch> patches;
    std::span<const partita_route> routes;
    std::span<Port> ports;  // that it uses
    std::span<VirtioDevice> virtio;
    std::span<Master> masters;
    PhysAddr stream_tables;                // the level-1 table of their streams: its entries are the four tables of the root
    timer::Ticks masters_ready = 0;        // when those that were reset can be used again
    std::uint32_t masters_last_fault = 0;  // the last that can be of their earlier life
    std::uint32_t number = 0;
    std::uint64_t vttbr = 0, vttbr_without_vmid = 0;
    std::span<VcpuSlot> vcpus;

    Distributor distributor;
    Pl011 console;
    Pl031 clock;
    Sp805 watchdog;
    Pl061 gpio;
    LoadCursor cursor;

    // Lifecycle: any CPU, by atomic steps.
    std::atomic<Phase> phase{Phase::off};
    std::atomic<Ending> ending{Ending::off};
    std::atomic<std::uint32_t> live{0};                                // vCPUs that are not off, while it runs
    std::atomic<std::uint32_t> stops{0};                               // vCPUs that have yet to do their part of its end
    std::atomic<partita_reset_reason> reason{PARTITA_RESET_POWER_ON};  // of the life that is, or of the one that comes next
    std::atomic<std::uint32_t> pauses{0};                              // how often it was paused,
    std::atomic<std::uint32_t> to_pause{0};                            // ... and how many vCPUs have yet to stop for the last
    timer::Ticks paused_at = 0;
    std::atomic<std::uint32_t> calls{0};   // a bit for each virtio device, that it serves, whose driver wants something
    std::atomic<std::uint32_t> called{0};  // ... the one that had its turn last
    LastWords last_words;
    std::atomic<std::uint32_t> starts{0};
    std::uint32_t restarts = 0;       // in the restart limit's period,
    timer::Ticks restarts_since = 0;  // which began then
    timer::Ticks behind = 0;          // its virtual counter is the physical one less this (CNTVOFF)
    timer::Ticks stopped_at = 0;      // when its last life ended

    // Reports of what this partition does: a few each second, so that a hostile guest cannot flood the log.
    std::atomic<std::uint32_t> reports{0};
    std::atomic<std::uint32_t> suppressed{0};
    std::atomic<timer::Ticks> reports_since{0};

    console::Ring output;  // what its console has to send

    [[nodiscard]] std::uint32_t channel() const { return PARTITA_CONSOLE_FIRST_PARTITION + number; }
    [[nodiscard]] bool is(std::uint32_t flag) const { return (guest.flags & flag) != 0; }
    [[nodiscard]] bool is_loaded() const { return guest.magic == PARTITA_GUEST_MAGIC; }
    [[nodiscard]] bool is_empty() const { return is(PARTITA_POOL) && !is_loaded(); }
};

}  // namespace partita
