#include "plan/channel_memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch/address.hpp"
#include "config/units.hpp"

namespace partita::tool {

namespace {

// Above the platform's devices, and below RAM where that is the platform's. Each channel begins a block of its own, so that a guest that
// maps in sections or blocks can give each the attributes that it needs.
constexpr std::uint64_t first_address = 0x3000'0000, last_address = 0x1'0000'0000;
constexpr std::uint64_t largest_part = 0x400'0000;

[[nodiscard]] std::vector<AddressRange> taken_by(const PlannedPartition& partition) {
    std::vector<AddressRange> out{{platform::pci_config, platform::pci_config_size}, {partition.ram, partition.description->memory.value}};
    for (const PlannedRegion& region : partition.regions) out.push_back({region.ipa, region.size});
    for (const PlannedPort& port : partition.ports)
        for (const PlannedPart& part : port.parts) out.push_back({part.ipa, part.size});
    return out;
}

void place_end(Plan& plan, std::size_t partition, std::size_t channel, const Place& place, Diagnostics& diagnostics) {
    const auto& sizes = plan.channels[channel].parts;
    std::uint64_t size = 0;
    for (const std::uint64_t each : sizes) size += each;
    PlannedPartition& owner = plan.partitions[partition];
    auto at = free_address(owner, size, first_address);
    if (!at)
        return diagnostics.error(place, fmt::format("the address space of \"{}\" has no room for the {} of channel \"{}\"; make it smaller",
                                                    owner.name, format_size(size), plan.channels[channel].name));
    for (PlannedPort& port : owner.ports) {
        if (port.channel != channel) continue;
        for (std::size_t n = 0; n < sizes.size(); ++n) {
            if (sizes[n] != 0) port.parts.push_back({n, *at, sizes[n]});
            *at += sizes[n];
        }
    }
}

}  // namespace

std::optional<std::uint64_t> free_address(const PlannedPartition& partition, std::uint64_t size, std::uint64_t from) {
    const std::vector<AddressRange> taken = taken_by(partition);
    for (std::uint64_t at = from; at + size <= last_address;) {
        const auto clash = std::find_if(taken.begin(), taken.end(),
                                        [&](const AddressRange& range) { return range.overlaps({at, round_up(size, kBlockSize)}); });
        if (clash == taken.end()) return at;
        at = round_up(clash->end(), kBlockSize);
    }
    return std::nullopt;
}

void check_channel_memory(const ChannelDescription& description, PlannedChannel& channel, const Complain& complain) {
    const std::pair<const std::optional<Placed<std::uint64_t>>&, const char*> keys[] = {
        {description.size, "size"}, {description.back, "back"}, {description.common, "common"}};
    const bool memory = channel.kind == PARTITA_CHANNEL_MEMORY;
    for (std::size_t n = 0; n < std::size(keys); ++n) {
        const auto& [value, key] = keys[n];
        if (!value) continue;
        if (!memory) {
            complain(value->place, fmt::format("{} is for memory; take it out, or make it kind = \"memory\"", key));
        } else if (value->value == 0 || value->value % kPageSize != 0 || value->value > largest_part) {
            complain(value->place,
                     fmt::format("{} must be a multiple of 4 KiB, at most 64 MiB, not {}; take {}", key, format_size(value->value),
                                 format_size(std::clamp(round_up(value->value, kPageSize), kPageSize, largest_part))));
        } else {
            channel.parts[n] = value->value;
        }
    }
    channel.uncached = description.attributes.value == "uncached";
    if (!memory && description.attributes.place != description.place)
        complain(description.attributes.place, "attributes are for memory; take it out");
    if (memory && !description.size && !description.back && !description.common)
        complain(description.place,
                 "it needs to be said how much memory; add a line like: size = \"64 KiB\", which the first end writes and the other reads");
}

void place_channel_memory(Plan& plan, std::size_t channel, const Place& place, Diagnostics& diagnostics) {
    place_end(plan, plan.channels[channel].from, channel, place, diagnostics);
    place_end(plan, plan.channels[channel].to.front(), channel, place, diagnostics);
}

std::uint32_t rights_to_part(std::size_t part, bool sends) {
    const bool writes = part == PlannedChannel::common || (part == PlannedChannel::there) == sends;
    return PARTITA_REGION_READ | (writes ? PARTITA_REGION_WRITE : 0);
}

const char* name_of_part(std::size_t part, bool sends) {
    if (part == PlannedChannel::common) return "common";
    return (part == PlannedChannel::there) == sends ? "send" : "receive";
}

}  // namespace partita::tool
