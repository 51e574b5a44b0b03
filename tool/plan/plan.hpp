// The plan of a system: every decision taken before boot. Where each partition's memory lies, what it is filled with, who
// owns each device and interrupt, and the guests' device trees.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "board/board.hpp"
#include "config/description.hpp"
#include "config/diagnostic.hpp"
#include "image/kernel.hpp"
#include "image/serves.hpp"
#include "partita/system_image.h"

namespace partita::tool {

// The address map that every partition sees (docs/concepts.md).
namespace platform {
inline constexpr std::uint64_t ram = 0x4000'0000, gicd = 0x0800'0000, gicc = 0x0801'0000, pl011 = 0x0900'0000, pl031 = 0x0901'0000,
                               pl061 = 0x0903'0000, control = 0x0904'0000, sp805 = 0x0908'0000;
inline constexpr std::uint64_t gicc_size = 0x2000;
inline constexpr std::uint64_t flash = 0x0400'0000, flash_size = 0x4'0000;  // of a partition with boot memory
inline constexpr std::uint64_t most_ram = 0xc000'0000;                      // up to the end of 32-bit addresses
inline constexpr std::uint32_t pl011_interrupt = 33, pl031_interrupt = 34, pl061_interrupt = 39, control_interrupt = 40,
                               events_interrupt = 41, sp805_interrupt = 42, serve_interrupt = 43, virtio_interrupt = 48, interrupts = 96;
inline constexpr std::uint64_t pci_config = PARTITA_PCI_CONFIG, pci_config_size = PARTITA_PCI_CONFIG_SIZE;
inline constexpr std::uint64_t dtb_room = 0x1'0000;  // where RAM begins, for images that look for the tree there
}  // namespace platform

[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

struct PlannedRegion {
    std::string what;  // "memory", "boot memory", "gicv", "channel NAME", or the device's path
    std::uint64_t ipa = 0, pa = 0, size = 0;
    std::uint32_t flags = 0;
    std::uint32_t channel = 0;  // of PARTITA_REGION_CHANNEL
};

// Bytes that are put into a partition's memory at each start. `source` is set when the image is laid out.
struct PlannedCopy {
    std::string what;
    std::uint64_t ipa = 0;
    Bytes bytes;
    std::uint64_t source = 0;
};

struct PlannedPatch {
    std::uint64_t ipa = 0;
    std::uint32_t size = 0, nop_before = 0, nop_size = 0;
    std::uint32_t kind = PARTITA_PATCH_RANDOM;
};

struct PlannedRoute {
    std::uint32_t intid = 0;
    bool edge = false;
    std::string device;
};

// A device of a partition that reads and writes memory by itself, confined by the System MMU.
struct PlannedMaster {
    const BoardDevice* device = nullptr;
    std::uint32_t flags = 0;
};

// A part of a CPU's frame. Windows of no partition fill the gaps, so that those of a CPU follow each other. Times in microseconds.
struct PlannedWindow {
    std::uint64_t at = 0, length = 0;
    std::uint32_t partitions = 0;  // bit n: partition n
    Place place;                   // of its [[window]]

    [[nodiscard]] std::uint64_t end() const { return at + length; }
};

struct PlannedSchedule {
    std::string name;
    std::uint64_t frame = 0;                       // microseconds
    std::vector<std::vector<PlannedWindow>> cpus;  // of each CPU, in the order of time; none: everybody may run all the time
};

struct PlannedChannel {
    std::string name;
    std::uint32_t kind = 0, message_size = 0, depth = 0, time_us = 0;  // as in partita_channel
    bool told = false;
    std::size_t from = 0;  // partitions
    std::vector<std::size_t> to;
    // Memory: bytes that the first end writes and the other reads, the other way, and that both write.
    static constexpr std::size_t there = 0, back = 1, common = 2;
    std::array<std::uint64_t, 3> parts{};
    bool uncached = false;
    Place place{};  // of its [[channel]]
};

// Of a channel's memory, as an end sees it: which part, and where.
struct PlannedPart {
    std::size_t part = 0;
    std::uint64_t ipa = 0, size = 0;
};

// An end of a channel, as a partition uses it: its own, or one that it serves for `owner`.
struct PlannedPort {
    std::size_t channel = 0;
    std::size_t owner = 0;
    std::uint32_t flags = 0, interrupt = 0;
    std::vector<PlannedPart> parts{};

    [[nodiscard]] bool sends() const { return (flags & PARTITA_PORT_SENDS) != 0; }
};

// A virtio device of a partition: the console whose ports are its ends of channels.
// A disk, in the address space of the server that has it, or on a disk of that.
struct PlannedDisk {
    DiskDescription description;
    const BoardDevice* on = nullptr;
    std::uint64_t size = 0;
    std::uint64_t at = 0, image_at = 0;  // where it is, and what is put there at first; the same: it can be read only
    std::uint64_t image_size = 0;        // 0: zeros
};

// A port of a network that the server has.
struct PlannedNetwork {
    PortDescription description;
    std::size_t network = 0;  // of the description
    std::array<std::uint8_t, 6> mac{};
    std::uint32_t group = 0;              // 0: none is named
    const BoardDevice* uplink = nullptr;  // the network's, if it has one
};

struct PlannedVirtio {
    std::uint32_t slot = 0, interrupt = 0, version = 2, timeout_us = 0;  // as in partita_virtio
    std::size_t server = 0;
    std::uint64_t kept = 0;     // where the server keeps its state, in the server's address space
    std::uint64_t seen_at = 0;  // ... and sees what is shared of this partition's memory
    std::optional<PlannedDisk> disk{};
    std::optional<PlannedNetwork> network{};
    bool rng = false, rpmsg = false;  // none of them: it is the console
    Place place{};                    // that asks for it

    [[nodiscard]] std::uint64_t address() const { return PARTITA_VIRTIO + std::uint64_t{slot} * PARTITA_VIRTIO_SIZE; }
    [[nodiscard]] const char* kind() const {
        return disk ? "virtio disk" : network ? "virtio network" : rng ? "virtio rng" : rpmsg ? "virtio rpmsg" : "virtio console";
    }
    // Its partition's ends of channels are its ports.
    [[nodiscard]] bool has_ports() const { return !disk && !network && !rng; }
    // Where what it gives comes from, for people.
    [[nodiscard]] std::string place_in_words() const;
    // Its name among all of its kind.
    [[nodiscard]] std::string name() const {
        if (disk) return "disk " + disk->description.name.value;
        return network ? "network " + network->description.name.value : kind();
    }
};

struct PlannedPartition {
    const PartitionDescription* description = nullptr;
    std::string name, format;
    std::uint32_t flags = 0;
    std::uint32_t priority = 0;
    std::uint32_t budget = 0, budget_period = 0;                              // microseconds; 0: none
    std::uint32_t trusted = 0;                                                // bit n: it may call function n of the trusted service
    std::uint32_t watchdog_ms = 0, restart_limit = 0, restart_period_ms = 0;  // 0: none
    std::uint32_t restart_after_ms = 0;                                       // ... that the parent carries out
    std::uint64_t period = 0, deadline = 0, wcet = 0;                         // nanoseconds; 0: nothing is stated
    std::vector<std::uint32_t> cpus;
    std::uint64_t entry = 0, r0 = 0, r1 = 0, r2 = 0;
    std::uint32_t interrupts = platform::interrupts;
    std::vector<PlannedRegion> regions;
    std::vector<PlannedCopy> copies;
    std::vector<PlannedPatch> patches;
    std::vector<PlannedRoute> routes;
    std::vector<const BoardDevice*> devices;
    std::vector<PlannedMaster> masters;
    std::vector<PlannedPort> ports;  // its own ends first
    std::vector<PlannedVirtio> virtio;
    std::optional<std::pair<std::uint64_t, std::uint64_t>> store;  // the parent's: where images are kept that arrive, and its bytes
    std::optional<std::uint64_t> history;                          // the parent's: a page in which it keeps how partitions ended
    std::uint64_t ram = platform::ram;                             // where its memory begins, for itself
    std::optional<MessageFrame> messages;                          // what it has of the board's: interrupts of its own

    [[nodiscard]] bool is_place() const { return description != nullptr && description->is_place; }
    [[nodiscard]] bool is_parent() const { return description != nullptr && description->control.value; }
    [[nodiscard]] bool has_gpio() const { return description != nullptr && description->gpio.value; }
    bool serves = false;                     // virtio devices of others
    std::optional<Serves> program_serves{};  // how many of each kind its program can serve; none: it does not say
    std::uint64_t bounced = 0;               // bytes of its memory that are all its server sees; 0: it sees all of its memory
    // Its memory as it is described; what its server sees of it; what lies before that, where its images are; and what lies behind.
    [[nodiscard]] AddressRange memory() const { return {ram, description->memory.value}; }
    [[nodiscard]] AddressRange shared_memory() const {
        // Linux maps so much in one piece, where such memory must lie.
        constexpr std::uint64_t linear = 512ull << 20;
        const std::uint64_t end = bounced < linear ? std::min(memory().size, linear) : memory().size;
        return bounced == 0 ? memory() : AddressRange{ram + end - bounced, bounced};
    }
    [[nodiscard]] AddressRange own_memory() const { return bounced == 0 ? memory() : AddressRange{ram, shared_memory().begin - ram}; }
    [[nodiscard]] AddressRange memory_behind() const { return {shared_memory().end(), memory().end() - shared_memory().end()}; }
    // Whether it has the platform's PL031: not where a device of its own lies there, or has its interrupt.
    [[nodiscard]] bool has_clock() const;
};

struct Plan {
    const Board* board = nullptr;
    std::vector<std::uint64_t> slices;  // of each CPU, in nanoseconds; 0: not shared
    std::vector<PlannedPartition> partitions;
    std::vector<PlannedPartition> pooled;  // what can be made in places of the pool: with what they are filled, and no more
    std::vector<PlannedChannel> channels;
    std::vector<PlannedSchedule> schedules;                  // the first is the one that the system starts with
    std::uint64_t hypervisor_base = 0, hypervisor_size = 0;  // 2 MiB of it
    std::uint64_t monitor_base = 0;                          // where the monitor is loaded, and copies itself from; 0: there is none
    std::uint64_t secure_base = 0;                           // ... the secure partition
    bool has_secure_partition = false;
    Bytes secure_program;                            // an ELF file; empty: Partita's own
    std::uint64_t images_base = 0, images_size = 0;  // the copies' sources
};

// Plans the described system, or says in diagnostics everything that keeps it from working.
[[nodiscard]] std::optional<Plan> make_plan(const SystemDescription& system, const Board& board, Diagnostics& diagnostics);

// Where the board is unknown: says what is wrong with the rest all the same.
void check_without_board(const SystemDescription& system, Diagnostics& diagnostics);

}  // namespace partita::tool
