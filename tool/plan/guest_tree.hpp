// The device tree that a guest gets: the virtual platform, its share of the CPUs and the memory, and its own devices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "board/board.hpp"
#include "plan/plan.hpp"

namespace partita::tool {

// An end of a channel.
struct GuestPort {
    std::string channel;
    std::uint32_t kind = 0, message_size = 0, depth = 0, time_us = 0;  // as in partita_channel
    bool sends = false;
    std::uint32_t interrupt = 0;
    std::vector<std::string> peers;
    struct Memory {
        std::string name;  // what this end may do with it: "send", "receive", "common"
        std::uint64_t ipa = 0, size = 0;
    };
    std::vector<Memory> memory;
    bool uncached = false;
};

// A virtio device that the partition serves for another.
struct ServedDevice {
    std::uint32_t number = 0, version = 0;  // as TAKE tells it; of the transport
    std::string client;
    std::uint64_t kept = 0;
    std::array<std::uint64_t, 3> memory{};  // the client's address, where it is seen, bytes
    bool pool = false;                      // it is not all of the client's
    struct Port {
        GuestPort end;
        std::uint32_t number = 0;  // as SEND and RECEIVE know it
    };
    std::vector<Port> ports;
    const PlannedDisk* disk = nullptr;
    const PlannedNetwork* network = nullptr;
    bool rng = false, rpmsg = false;  // none of them: it is a console
};

struct GuestTreeRequest {
    std::uint32_t cpus = 1;
    std::string cpu_compatible = "arm,cortex-a15";
    std::uint64_t memory = 0;
    std::optional<AddressRange> bounced;  // of it, all that its server sees; none: it sees all
    std::string bootargs;
    std::uint64_t initrd_begin = 0, initrd_end = 0;  // 0, 0: none
    const Board* board = nullptr;
    std::uint64_t ram = platform::ram;  // where its memory begins
    std::vector<const BoardDevice*> devices;
    std::optional<MessageFrame> messages;                          // interrupts as messages for its PCI functions
    std::vector<GuestPort> ports;                                  // port n is the n-th
    std::vector<PlannedVirtio> virtio;                             // its devices,
    std::vector<ServedDevice> served;                              // and those that it serves
    bool clock = false;                                            // the platform's PL031
    bool watchdog = false;                                         // the SP805
    bool control = false;                                          // the UART of the control channel, and news of the log
    bool gpio = false;                                             // the PL061 whose lines are doorbells
    std::optional<std::pair<std::uint64_t, std::uint64_t>> store;  // where images are kept that arrive at run time, and its bytes
    std::optional<std::uint64_t> history;                          // the page of how partitions ended, and of each partition
    std::vector<std::uint32_t> restart_after;                      // after how many ms it is started again when it failed; 0: never
    bool pmu = false;                                              // the performance counters, as the board has them
};

struct GuestTree {
    Bytes bytes;
    std::vector<PlannedPatch> patches;  // ipa: offsets from the tree's begin
};

// Nodes that others point to. Those of channels' memory come behind.
enum Phandle : std::uint32_t { gic_phandle = 1, clock_phandle, messages_phandle, bounced_phandle, first_memory_phandle = 16 };

[[nodiscard]] GuestTree make_guest_tree(const GuestTreeRequest& request);

}  // namespace partita::tool
