// A system as its file describes it: values with the place where each was written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/diagnostic.hpp"

namespace partita::tool {

template <typename T>
struct Placed {
    T value{};
    Place place;
};

struct CpuDescription {
    Placed<std::uint64_t> id;
    Placed<std::uint64_t> slice;  // nanoseconds
};

struct ScheduleDescription {
    Place place;  // of its [[schedule]]
    Placed<std::string> name;
    Placed<std::uint64_t> frame;  // nanoseconds
};

struct WindowDescription {
    Place place;                   // of its [[window]]
    Placed<std::string> schedule;  // "": the first
    std::vector<Placed<std::uint64_t>> cpus;
    Placed<std::uint64_t> at, length;  // nanoseconds
    std::vector<Placed<std::string>> partitions;
};

struct ChannelDescription {
    Place place;  // of its [[channel]]
    Placed<std::string> name, kind, from;
    std::vector<Placed<std::string>> to;
    Place to_place;
    std::optional<Placed<std::uint64_t>> message, depth;     // bytes, messages
    std::optional<Placed<std::uint64_t>> refresh, interval;  // nanoseconds
    Placed<bool> told;
    std::optional<Placed<std::uint64_t>> size, back, common;  // bytes of memory
    Placed<std::string> attributes;
};

struct DiskDescription {
    Place place;  // of its [[partition.disk]]
    Placed<std::string> name;
    std::optional<Placed<std::uint64_t>> size;
    std::optional<Placed<std::filesystem::path>> image;
    std::optional<Placed<std::uint64_t>> changes;  // how many bytes of it can differ from the image; all, without a copy of it
    std::optional<Placed<std::string>> on, gpt;    // a disk of the board that it lies on; the partition of that
    std::optional<Placed<std::uint64_t>> at;       // where on it
    Placed<bool> read_only;
};

struct PortDescription {
    Place place;               // of its [[partition.network]]
    Placed<std::string> name;  // the network's
    std::optional<Placed<std::string>> mac, group;
    Placed<bool> any_mac;
    std::optional<Placed<std::uint64_t>> rate;  // bytes in a second
};

struct NetworkDescription {
    Place place;  // of its [[network]]
    Placed<std::string> name;
    std::optional<Placed<std::string>> uplink;
};

struct PartitionDescription {
    Place place;  // of its [[partition]]
    Placed<std::string> name;
    Placed<std::filesystem::path> kernel;
    Placed<std::string> format;
    std::vector<Placed<std::filesystem::path>> initrd;  // one behind the other
    Placed<std::string> bootargs;
    Placed<std::uint64_t> memory;  // bytes
    std::optional<Placed<std::uint64_t>> memory_at;
    std::vector<Placed<std::uint64_t>> cpus;
    Place cpus_place;
    Placed<std::uint64_t> priority;
    std::optional<Placed<std::uint64_t>> budget, budget_period;  // nanoseconds, as all that follow
    Placed<std::string> budget_for, over_budget;
    Placed<bool> slack;
    std::optional<Placed<std::uint64_t>> period, deadline, wcet;
    Placed<std::string> time;
    std::optional<Placed<std::uint64_t>> boot_memory;
    std::optional<Placed<std::uint64_t>> load, entry;
    std::vector<Placed<std::string>> devices;
    Placed<std::string> msi, dma, pmu;
    Placed<std::string> on_exit, on_reset, on_fault;
    Placed<std::uint64_t> restart_limit;
    std::optional<Placed<std::uint64_t>> restart_period, restart_after, watchdog;  // nanoseconds
    Placed<bool> watchdog_boot;
    Placed<bool> gpio;
    Placed<bool> control;
    Placed<bool> virtio_ports, rpmsg, rng;
    std::vector<DiskDescription> disks;
    std::vector<PortDescription> networks;
    Placed<bool> virtio_legacy;
    Placed<std::string> server;  // empty: the parent
    std::optional<Placed<std::uint64_t>> server_timeout;
    Placed<std::string> share;                        // what the server sees of its memory
    std::optional<Placed<std::uint64_t>> share_size;  // bytes, where that is a pool
    Placed<bool> start{true, {}};
    bool is_place = false;  // of [pool]: what it runs is given to it at run time
    std::vector<Placed<std::string>> rights;
    std::vector<Placed<std::string>> trusted;  // functions of the trusted service
};

struct SecureDescription {
    Place place;                                           // of its [secure]
    std::optional<Placed<std::filesystem::path>> program;  // none: Partita's own
};

struct PoolDescription {
    Place place;  // of its [pool]
    Placed<std::uint64_t> store;
    Placed<std::uint64_t> partitions;
    std::optional<Placed<std::uint64_t>> memory;
    std::vector<Placed<std::uint64_t>> cpus;
    Place cpus_place;
    std::optional<Placed<std::uint64_t>> priority, budget, budget_period;
};

struct SystemDescription {
    Placed<std::string> board;
    std::vector<CpuDescription> cpus;
    std::vector<PartitionDescription> partitions;  // with the places of the pool behind them,
    std::vector<PartitionDescription> pooled;      // and those that can be made there
    std::optional<PoolDescription> pool;
    std::vector<ScheduleDescription> schedules;
    std::vector<WindowDescription> windows;
    std::vector<ChannelDescription> channels;
    std::vector<NetworkDescription> networks;
    std::optional<SecureDescription> secure;
};

// Reads text as the TOML file `file`; relative paths in it are taken from `folder`. What is wrong goes to diagnostics; the
// result has what could be read, so that later checks can find more.
[[nodiscard]] SystemDescription read_description(const std::string& text, const std::filesystem::path& folder, Diagnostics& diagnostics);

}  // namespace partita::tool
