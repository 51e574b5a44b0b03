#include "plan/virtio.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch/address.hpp"
#include "config/units.hpp"
#include "plan/disks.hpp"
#include "plan/networks.hpp"
#include "plan/ownership.hpp"

namespace partita::tool {

using std::uint32_t;

namespace {

constexpr std::uint64_t default_timeout = 100'000;  // microseconds
constexpr std::uint64_t default_pool = 4ull << 20;

class VirtioPlanner {
public:
    VirtioPlanner(Plan& plan, std::size_t number, Diagnostics& diagnostics)
        : plan_(plan), partition_(plan.partitions[number]), number_(number), diagnostics_(diagnostics) {}

    void run() {
        const PartitionDescription& description = *partition_.description;
        if (!place_of_first()) return refuse_the_rest();
        check_disks(partition_, diagnostics_);
        const auto server = find_server();
        PlannedVirtio device;
        device.timeout_us = timeout();
        device.version = description.virtio_legacy.value ? 1 : 2;
        share();
        if (!server) return;
        device.server = *server;
        plan_.partitions[*server].serves = true;
        if (description.virtio_ports.value) add(device, description.virtio_ports.place);
        if (description.rpmsg.value) add_rpmsg(device);
        for (const DiskDescription& disk : description.disks) {
            device.disk = PlannedDisk{.description = disk};
            if (disk.on) find_real_disk(plan_, plan_.partitions[*server], *device.disk, diagnostics_);
            add(device, disk.place);
        }
        device.disk.reset();
        for (const PortDescription& port : description.networks) {
            device.network = PlannedNetwork{.description = port};
            add(device, port.place);
        }
        device.network.reset();
        device.rng = true;
        if (description.rng.value) add(device, description.rng.place);
    }

private:
    void add_rpmsg(PlannedVirtio device) {
        const Place& place = partition_.description->rpmsg.place;
        if (partition_.description->virtio_ports.value)
            return diagnostics_.error(place, fmt::format("\"{}\" has both rpmsg and virtio_ports, but its channels can end in one of them; "
                                                         "take one out",
                                                         partition_.name));
        device.rpmsg = true;
        add(device, place);
    }
    void add(PlannedVirtio device, const Place& place) {
        const auto slot = free_slot();
        if (!slot)
            return diagnostics_.error(place, fmt::format("the devices of \"{}\" leave no interrupt for a {}; leave one of them out",
                                                         partition_.name, device.kind()));
        device.place = place;
        device.slot = *slot, device.interrupt = platform::virtio_interrupt + *slot;
        partition_.virtio.push_back(device);
    }
    // Where it is said that it has virtio devices; none: it has none.
    [[nodiscard]] std::optional<Place> place_of_first() const {
        const PartitionDescription& description = *partition_.description;
        if (description.virtio_ports.value) return description.virtio_ports.place;
        if (description.rpmsg.value) return description.rpmsg.place;
        if (!description.disks.empty()) return description.disks.front().place;
        if (!description.networks.empty()) return description.networks.front().place;
        return description.rng.value ? std::optional{description.rng.place} : std::nullopt;
    }
    void refuse(const Place& place, const char* key) {
        diagnostics_.error(place, fmt::format("{} is about virtio devices, of which \"{}\" has none; add virtio_ports, rpmsg or rng = "
                                              "true, a disk or a network, or take it out",
                                              key, partition_.name));
    }
    void refuse_the_rest() {
        const PartitionDescription& description = *partition_.description;
        if (description.virtio_legacy.value) refuse(description.virtio_legacy.place, "virtio_legacy");
        if (!description.server.value.empty()) refuse(description.server.place, "server");
        if (description.server_timeout) refuse(description.server_timeout->place, "server_timeout");
        if (description.share.value == "pool") refuse(description.share.place, "share");
        if (description.share_size) refuse(description.share_size->place, "share_size");
    }

    [[nodiscard]] std::optional<std::size_t> named(const Placed<std::string>& name) {
        std::vector<std::string> known;
        for (std::size_t n = 0; n < plan_.partitions.size(); ++n) {
            if (plan_.partitions[n].name == name.value && n != number_) return n;
            if (n != number_) known.push_back(plan_.partitions[n].name);
        }
        if (name.value == partition_.name)
            diagnostics_.error(name.place, fmt::format("\"{}\" cannot be its own server; name another partition", name.value));
        else
            diagnostics_.error(name.place, fmt::format("there is no partition \"{}\"; {}", name.value, suggest(name.value, known)));
        return std::nullopt;
    }

    [[nodiscard]] std::optional<std::size_t> the_parent() {
        for (std::size_t n = 0; n < plan_.partitions.size(); ++n)
            if (plan_.partitions[n].is_parent() && n != number_) return n;
        diagnostics_.error(*place_of_first(),
                           fmt::format("nobody would serve the virtio devices of \"{}\"; add a parent partition (control = true), or name "
                                       "another with server = \"NAME\"",
                                       partition_.name));
        return std::nullopt;
    }

    [[nodiscard]] std::optional<std::size_t> find_server() {
        const Placed<std::string>& name = partition_.description->server;
        const auto server = name.value.empty() ? the_parent() : named(name);
        if (!server) return std::nullopt;
        const PlannedPartition& found = plan_.partitions[*server];
        if ((found.flags & PARTITA_RIGHT_SERVE) != 0) return server;
        diagnostics_.error(name.value.empty() ? *place_of_first() : name.place,
                           fmt::format("\"{}\" may not serve virtio devices; add \"serve\" to its rights", found.name));
        return std::nullopt;
    }

    // The first slot whose interrupt no device of the board has here.
    [[nodiscard]] std::optional<uint32_t> free_slot() const {
        for (uint32_t slot = 0; slot < PARTITA_VIRTIO_SLOTS; ++slot) {
            const auto taken = [&](const PlannedRoute& route) { return route.intid == platform::virtio_interrupt + slot; };
            const auto given = [&](const PlannedVirtio& device) { return device.slot == slot; };
            if (std::ranges::none_of(partition_.routes, taken) && std::ranges::none_of(partition_.virtio, given)) return slot;
        }
        return std::nullopt;
    }

    // How much of its memory the server sees.
    void share() {
        const PartitionDescription& description = *partition_.description;
        const auto& size = description.share_size;
        if (description.share.value != "pool") {
            if (size)
                diagnostics_.error(size->place,
                                   fmt::format("share_size is about share = \"pool\", and the server of \"{}\" sees all of its "
                                               "memory; add share = \"pool\", or take it out",
                                               partition_.name));
            return;
        }
        if (description.virtio_legacy.value)
            diagnostics_.error(description.virtio_legacy.place,
                               fmt::format("version 1 of the transport has no word for a pool, which \"{}\" shares with its server; take "
                                           "virtio_legacy out, or share = \"pool\"",
                                           partition_.name));
        const std::uint64_t wanted = size ? size->value : default_pool, memory = description.memory.value;
        if (wanted != 0 && wanted % kPageSize == 0 && wanted < memory) {
            partition_.bounced = wanted;
            return;
        }
        diagnostics_.error(size ? size->place : description.share.place,
                           fmt::format("the pool that \"{}\" shares with its server can be a multiple of 4 KiB that is less than its "
                                       "memory, {}, not {}; say so by share_size",
                                       partition_.name, format_size(memory), format_size(wanted)));
    }

    [[nodiscard]] uint32_t timeout() {
        const auto& time = partition_.description->server_timeout;
        if (!time) return default_timeout;
        constexpr std::uint64_t unit = 1000, longest = PARTITA_LONGEST_TIME_US * unit;
        if (time->value != 0 && time->value % unit == 0 && time->value <= longest) return static_cast<uint32_t>(time->value / unit);
        diagnostics_.error(time->place, fmt::format("server_timeout of \"{}\" can be whole microseconds, from 1 us to 60 s, not {}",
                                                    partition_.name, format_time(time->value)));
        return 1;
    }

    Plan& plan_;
    PlannedPartition& partition_;
    std::size_t number_;
    Diagnostics& diagnostics_;
};

}  // namespace

std::string PlannedVirtio::place_in_words() const {
    if (network) {
        std::string out;
        for (const std::uint8_t byte : network->mac) out += fmt::format("{}{:02x}", out.empty() ? "" : ":", byte);
        return network->uplink != nullptr ? out + ", uplink " + network->uplink->path : out;
    }
    if (rng) return "random bytes";
    if (!disk) return "ends of channels";
    const char* const only = disk->description.read_only.value ? ", read only" : "";
    if (disk->on == nullptr && disk->description.changes)
        return fmt::format("{} in memory, {} for changes", format_size(disk->size), format_size(disk->description.changes->value));
    if (disk->on == nullptr) return fmt::format("{} in memory{}", format_size(disk->size), only);
    if (disk->description.gpt) return fmt::format("partition {} of {}{}", disk->description.gpt->value, disk->on->path, only);
    if (!disk->description.at || !disk->description.size) return fmt::format("all of {}{}", disk->on->path, only);
    return fmt::format("{} of {} from {:#x} on{}", format_size(disk->description.size->value), disk->on->path, disk->description.at->value,
                       only);
}

void plan_virtio(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics) {
    for (std::size_t n = 0; n < plan.partitions.size(); ++n) VirtioPlanner{plan, n, diagnostics}.run();
    check_real_disks(plan, diagnostics);
    plan_networks(system, plan, diagnostics);
}

}  // namespace partita::tool
