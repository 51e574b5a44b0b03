#include "plan/served.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch/address.hpp"
#include "config/units.hpp"
#include "plan/channel_memory.hpp"
#include "plan/channels.hpp"
#include "plan/disks.hpp"

namespace partita::tool {

using std::uint32_t;

namespace {

constexpr std::uint64_t first_served_address = platform::ram;  // where guests expect memory

[[nodiscard]] std::vector<ServedDevice::Port> ports_for(const Plan& plan, const PlannedPartition& server, std::size_t client) {
    std::vector<ServedDevice::Port> out;
    for (uint32_t n = 0; n < server.ports.size(); ++n)
        if (server.ports[n].owner == client && &plan.partitions[client] != &server) out.push_back({guest_port(plan, server.ports[n]), n});
    return out;
}

void place_in_server(Plan& plan, std::size_t client, PlannedVirtio& device, Diagnostics& diagnostics) {
    PlannedPartition& server = plan.partitions[device.server];
    const PlannedPartition& partition = plan.partitions[client];
    const std::uint64_t size = partition.shared_memory().size;
    const std::uint64_t seen = partition.virtio.front().seen_at;  // by the first of its devices, for all of them
    std::uint64_t from = first_served_address;
    for (const PlannedPartition& other : plan.partitions)  // memory is placed later: what others are seen at is taken, too
        for (const PlannedVirtio& placed : other.virtio)
            if (placed.server == device.server && placed.seen_at != 0)
                from = std::max(from, round_up(placed.seen_at + other.shared_memory().size, kBlockSize));
    const auto kept = free_address(server, kPageSize, from);
    if (kept)
        server.regions.push_back({fmt::format("kept for {}", partition.name), *kept, 0, kPageSize,
                                  PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_KEPT});
    const auto at = seen == 0 ? free_address(server, size, from) : std::optional{seen};
    if (!kept || !at)
        return diagnostics.error(partition.description->place,
                                 fmt::format("the address space of \"{}\" has no room for the {} of \"{}\", which it is to serve; give one "
                                             "of them less memory",
                                             server.name, format_size(size), partition.name));
    device.kept = *kept;
    device.seen_at = *at;
    if (device.disk && device.disk->on == nullptr)
        place_disk(plan, device.server, partition, *device.disk, std::max(from, round_up(*at + size, kBlockSize)), diagnostics);
}

// What a console's or RPMsg's ports can be.
void check_ports(const Plan& plan, std::size_t number, const PlannedVirtio& device, Diagnostics& diagnostics) {
    const PlannedPartition& partition = plan.partitions[number];
    const char *const key = device.rpmsg ? "rpmsg" : "virtio_ports", *const kinds = device.rpmsg ? "queuing" : "queuing or sampling";
    const std::size_t ports = ports_for(plan, plan.partitions[device.server], number).size();
    if (ports == 0)
        diagnostics.error(device.place,
                          fmt::format("\"{}\" has {}, but no {} channel that would be one; take it out", partition.name, key, kinds));
    if (ports > most_virtio_ports)
        diagnostics.error(device.place, fmt::format("\"{}\" has {} ends of {} channels; a {} has room for {}: leave one out",
                                                    partition.name, ports, kinds, device.kind(), most_virtio_ports));
    for (const PlannedPort& port : plan.partitions[device.server].ports) {
        if (port.owner != number) continue;
        const PlannedChannel& channel = plan.channels[port.channel];
        if (channel.kind == PARTITA_CHANNEL_SAMPLING && !port.sends() && !channel.told)
            diagnostics.error(channel.place,
                              fmt::format("channel \"{}\": the server of \"{}\" would not know of new values; add told = true",
                                          channel.name, partition.name));
        if (device.rpmsg && channel.message_size > most_rpmsg_bytes)
            diagnostics.error(channel.place,
                              fmt::format("channel \"{}\" has messages of {}, but those of RPMsg are {} bytes at most, which "
                                          "\"{}\" has for its channels; make them shorter, or use virtio_ports",
                                          channel.name, format_size(channel.message_size), most_rpmsg_bytes, partition.name));
    }
}

}  // namespace

void check_virtio_ports(const Plan& plan, Diagnostics& diagnostics) {
    for (std::size_t n = 0; n < plan.partitions.size(); ++n)
        for (const PlannedVirtio& device : plan.partitions[n].virtio)
            if (device.has_ports()) check_ports(plan, n, device, diagnostics);
}

void place_served_memory(Plan& plan, Diagnostics& diagnostics) {
    for (std::size_t n = 0; n < plan.partitions.size(); ++n)
        for (PlannedVirtio& device : plan.partitions[n].virtio) place_in_server(plan, n, device, diagnostics);
}

std::vector<ServedDevice> served_devices(const Plan& plan, const PlannedPartition& server) {
    std::vector<ServedDevice> out;
    uint32_t number = 0;  // devices are numbered in the order of their partitions
    for (std::size_t n = 0; n < plan.partitions.size(); ++n)
        for (const PlannedVirtio& device : plan.partitions[n].virtio) {
            const uint32_t own = number++;
            if (&plan.partitions[device.server] != &server) continue;
            ServedDevice& made = out.emplace_back();
            made.number = own, made.version = device.version;
            made.client = plan.partitions[n].name;
            made.kept = device.kept;
            const AddressRange shared = plan.partitions[n].shared_memory();
            made.memory = {shared.begin, device.seen_at, shared.size};
            made.pool = plan.partitions[n].bounced != 0;
            if (device.disk)
                made.disk = &*device.disk;
            else if (device.network)
                made.network = &*device.network;
            else if (device.rng)
                made.rng = true;
            else
                made.rpmsg = device.rpmsg, made.ports = ports_for(plan, server, n);
        }
    return out;
}

}  // namespace partita::tool
