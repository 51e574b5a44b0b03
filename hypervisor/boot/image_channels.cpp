#include "boot/image_channels.hpp"

#include "boot/image_virtio.hpp"

#include "message/channel_storage.hpp"
#include "message/port_lines.hpp"

namespace partita {

using std::uint32_t;

namespace {

[[nodiscard]] bool good(const partita_channel& channel) {
    if (channel.time_us > PARTITA_LONGEST_TIME_US) return false;
    const bool size = channel.message_size != 0 && channel.message_size <= PARTITA_LONGEST_MESSAGE;
    switch (channel.kind) {
        case PARTITA_CHANNEL_DOORBELL:
        case PARTITA_CHANNEL_MEMORY: return channel.message_size == 0 && channel.depth == 0;
        case PARTITA_CHANNEL_SAMPLING: return size && channel.depth == 0;
        case PARTITA_CHANNEL_QUEUING: return size && channel.depth != 0 && channel.depth <= PARTITA_DEEPEST_QUEUE && channel.time_us == 0;
        default: return false;
    }
}

[[nodiscard]] bool has_another(const ImageView& view, const partita_partition& partition, uint32_t port) {
    const uint32_t id = view.ports[port].interrupt;
    for (const uint32_t own : interrupts_of(partition))
        if (own == id) return true;
    for (const partita_route& route : view.interrupts.subspan(partition.routes.first, partition.routes.count))
        if (route.intid == id) return true;
    for (const partita_virtio& device : view.virtio.subspan(partition.virtio.first, partition.virtio.count))
        if (device.interrupt == id) return true;
    for (uint32_t other = partition.ports.first; other < port; ++other)
        if (view.ports[other].interrupt == id) return true;
    return false;
}

struct Ends {
    uint32_t senders = 0, receivers = 0, partitions = 0;
    uint32_t memory = 0;  // regions
};

// Whose end it is: the partition's that uses it; or, behind all those, of one whose virtio device it serves, and with messages.
[[nodiscard]] bool good_owner(const ImageView& view, std::size_t user, uint32_t n) {
    const partita_port& port = view.ports[n];
    const bool own = port.owner == user;
    if (n > view.partitions[user].ports.first && own && view.ports[n - 1].owner != user) return false;
    if (own) return true;
    return port.owner < view.partitions.size() && is_served(view, port.owner, user) && view.channels[port.channel].message_size != 0;
}

// The partition's ends, each counted with its channel's.
[[nodiscard]] bool add_ends(const ImageView& view, std::size_t number, std::span<Ends> ends) {
    const partita_partition& partition = view.partitions[number];
    uint32_t lines = 0;
    for (uint32_t n = partition.ports.first; n < partition.ports.first + partition.ports.count; ++n) {
        const partita_port& port = view.ports[n];
        if (port.channel >= view.channels.size() || port.flags > (PARTITA_PORT_SENDS | PARTITA_PORT_TOLD)) return false;
        if (port.interrupt < 32 || port.interrupt >= partition.interrupts || has_another(view, partition, n)) return false;
        if (!good_owner(view, number, n)) return false;
        Ends& of = ends[port.channel];
        if ((of.partitions >> port.owner & 1u) != 0) return false;  // nobody sends to himself, or has two ends
        of.partitions |= 1u << port.owner;
        const bool sends = (port.flags & PARTITA_PORT_SENDS) != 0;
        ++(sends ? of.senders : of.receivers);
        (void)lines_of(view.channels[port.channel].kind, sends, lines);
    }
    return partition.gpio_interrupt == 0 || lines <= PARTITA_GPIO_LINES;
}

constexpr uint32_t of_memory = PARTITA_REGION_CHANNEL | PARTITA_REGION_UNCACHED;

// How many of the partition's regions are this part of the memory.
[[nodiscard]] uint32_t seen_by(const ImageView& view, std::size_t partition, const partita_region& part) {
    const partita_slice own = view.partitions[partition].regions;
    uint32_t count = 0;
    for (const partita_region& region : view.regions.subspan(own.first, own.count)) count += same_memory(region, part) ? 1u : 0u;
    return count;
}

// A region of `partition`: that it is no channel's memory, or that exactly the channel's two ends see it, and one of them may write it.
[[nodiscard]] bool good_memory(const ImageView& view, const partita_region& region, std::size_t partition, std::span<Ends> ends) {
    if ((region.flags & PARTITA_REGION_CHANNEL) == 0) return (region.flags & of_memory) == 0 && region.channel == 0;
    constexpr uint32_t rights = PARTITA_REGION_READ | PARTITA_REGION_WRITE;
    if ((region.flags & ~(of_memory | rights)) != 0 || (region.flags & PARTITA_REGION_READ) == 0) return false;
    if (region.channel >= view.channels.size() || view.channels[region.channel].kind != PARTITA_CHANNEL_MEMORY) return false;
    Ends& of = ends[region.channel];
    ++of.memory;
    if ((of.partitions >> partition & 1u) == 0) return false;
    uint32_t written = 0;
    for (const partita_region& other : view.regions) written |= same_memory(region, other) ? other.flags & PARTITA_REGION_WRITE : 0u;
    for (std::size_t n = 0; n < view.partitions.size(); ++n)
        if (seen_by(view, n, region) != (of.partitions >> n & 1u)) return false;
    return written != 0;
}

[[nodiscard]] bool good_memories(const ImageView& view, std::span<Ends> ends, std::size_t& record) {
    for (std::size_t n = 0; n < view.partitions.size(); ++n) {
        const partita_slice own = view.partitions[n].regions;
        for (record = own.first; record < own.first + own.count; ++record)
            if (!good_memory(view, view.regions[record], n, ends)) return false;
    }
    return true;
}

}  // namespace

bool same_memory(const partita_region& one, const partita_region& other) {
    return (one.flags & other.flags & PARTITA_REGION_CHANNEL) != 0 && one.channel == other.channel && one.pa == other.pa &&
           one.size == other.size && ((one.flags ^ other.flags) & PARTITA_REGION_UNCACHED) == 0;
}

std::expected<void, ImageError> check_channels(const ImageView& view) {
    const auto fail = [](std::size_t record) {
        return std::unexpected(ImageError{ImageFault::bad_channel, static_cast<uint32_t>(record)});
    };
    if (view.channels.size() > PARTITA_MAX_CHANNELS || view.ports.size() > PARTITA_MAX_PORTS)
        return std::unexpected(ImageError{ImageFault::too_many, 0});
    std::array<Ends, PARTITA_MAX_CHANNELS> ends{};
    for (std::size_t n = 0; n < view.partitions.size(); ++n)
        if (!add_ends(view, n, ends)) return fail(n);
    std::size_t record = 0;
    if (!good_memories(view, ends, record)) return fail(record);
    std::uint64_t size = 0;
    for (std::size_t n = 0; n < view.channels.size(); ++n) {
        if (!good(view.channels[n])) return fail(n);
        const bool several = view.channels[n].kind == PARTITA_CHANNEL_SAMPLING;
        if (ends[n].senders != 1 || ends[n].receivers == 0 || (ends[n].receivers > 1 && !several)) return fail(n);
        if ((view.channels[n].kind == PARTITA_CHANNEL_MEMORY) != (ends[n].memory != 0)) return fail(n);
        size += channel_size(view.channels[n], static_cast<uint32_t>(view.cpus.size()));
    }
    return size <= PARTITA_CHANNELS_SIZE ? std::expected<void, ImageError>{} : fail(view.channels.size());
}

}  // namespace partita
