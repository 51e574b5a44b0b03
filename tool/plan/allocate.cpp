#include "plan/allocate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "arch/address.hpp"
#include "config/units.hpp"
#include "partita/secure.h"
#include "partita/system_image.h"
#include "plan/channel_memory.hpp"

namespace partita::tool {

namespace {

struct Claim {
    AddressRange range;
    std::string owner;
    std::optional<Place> place;  // of the words that claim it, where a description does
};

class Memory {
public:
    explicit Memory(const Board& board) : board_(board) {}

    [[nodiscard]] bool on_board(const AddressRange& range) const {
        return std::any_of(board_.memory.begin(), board_.memory.end(),
                           [&](const AddressRange& memory) { return range.begin >= memory.begin && range.end() <= memory.end(); });
    }
    [[nodiscard]] const Claim* clash(const AddressRange& range) const {
        const auto at = std::find_if(claims_.begin(), claims_.end(), [&](const Claim& claim) { return claim.range.overlaps(range); });
        return at == claims_.end() ? nullptr : &*at;
    }
    void claim(AddressRange range, std::string owner, std::optional<Place> place) { claims_.push_back({range, std::move(owner), place}); }

    // The lowest free range of this size and alignment.
    [[nodiscard]] std::optional<std::uint64_t> find(std::uint64_t size, std::uint64_t alignment) const {
        for (const AddressRange& memory : board_.memory) {
            std::uint64_t at = round_up(memory.begin, alignment);
            while (at + size <= memory.end()) {
                const Claim* const taken = clash({at, size});
                if (taken == nullptr) return at;
                at = round_up(taken->range.end(), alignment);
            }
        }
        return std::nullopt;
    }
    [[nodiscard]] std::uint64_t total() const {
        std::uint64_t sum = 0;
        for (const AddressRange& memory : board_.memory) sum += memory.size;
        return sum;
    }
    [[nodiscard]] std::string extent() const {
        std::string out;
        for (const AddressRange& memory : board_.memory)
            out += fmt::format("{}{:#x} to {:#x}", out.empty() ? "" : ", ", memory.begin, memory.end());
        return out;
    }
    [[nodiscard]] std::string shares() const {
        std::map<std::string, std::uint64_t> by_owner;
        for (const Claim& claim : claims_) by_owner[claim.owner] += claim.range.size;
        std::string out;
        for (const auto& [owner, size] : by_owner) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", owner, format_size(size));
        return out;
    }

private:
    const Board& board_;
    std::vector<Claim> claims_;
};

// The hypervisor's 2 MiB, what firmware left below it, and the images that partitions are filled from.
void plan_own(Plan& plan, Memory& memory) {
    const Board& board = *plan.board;
    plan.hypervisor_base = board.load_address;
    plan.hypervisor_size = kBlockSize;
    const std::uint64_t ram = board.memory.front().begin;
    if (board.load_address > ram) memory.claim({ram, board.load_address - ram}, "firmware", std::nullopt);
    memory.claim({plan.hypervisor_base, plan.hypervisor_size}, "the hypervisor", std::nullopt);
    plan.images_base = plan.hypervisor_base + plan.hypervisor_size;
    if (board.monitor) {
        plan.monitor_base = plan.images_base;
        plan.images_base += PARTITA_MONITOR_LARGEST;
        memory.claim({plan.monitor_base, PARTITA_MONITOR_LARGEST}, "the monitor", std::nullopt);
    }
    if (plan.has_secure_partition) {
        plan.secure_base = plan.images_base;
        plan.images_base += PARTITA_SECURE_LARGEST;
        memory.claim({plan.secure_base, PARTITA_SECURE_LARGEST}, "the secure partition", std::nullopt);
    }
    std::uint64_t at = plan.images_base;
    for (PlannedPartition& partition : plan.partitions)
        for (PlannedCopy& copy : partition.copies) {
            constexpr std::uint64_t word = 8;  // a copy by words, so that loading is quick
            copy.source = at + copy.ipa % word;
            at = round_up(copy.source + copy.bytes.size(), kPageSize);
        }
    plan.images_size = at - plan.images_base;
    if (plan.images_size != 0) memory.claim({plan.images_base, plan.images_size}, "the images", std::nullopt);
}

[[nodiscard]] bool good_size(const PlannedPartition& partition, Diagnostics& diagnostics) {
    const Placed<std::uint64_t>& memory = partition.description->memory;
    if (memory.place == partition.description->place) return false;  // told already
    if (memory.value == 0 || memory.value % kBlockSize != 0) {
        diagnostics.error(memory.place,
                          fmt::format("memory of \"{}\" is {}; it must be a multiple of 2 MiB, like {}", partition.name,
                                      format_size(memory.value), format_size(std::max(round_up(memory.value, kBlockSize), kBlockSize))));
        return false;
    }
    if (memory.value > platform::most_ram) {
        diagnostics.error(memory.place, fmt::format("memory of \"{}\" is {}; a partition's address space has room for 3 GiB",
                                                    partition.name, format_size(memory.value)));
        return false;
    }
    return true;
}

constexpr std::uint32_t all_rights = PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_EXECUTE;

// Memory that the description places. Clashes are told with both names.
void place_fixed(PlannedPartition& partition, Memory& memory, Diagnostics& diagnostics) {
    const PartitionDescription& description = *partition.description;
    const Placed<std::uint64_t>& at = *description.memory_at;
    const AddressRange range{at.value, description.memory.value};
    if (range.begin % kBlockSize != 0)
        return diagnostics.error(at.place, fmt::format("memory_at of \"{}\" must be a multiple of 2 MiB (0x20_0000)", partition.name));
    if (!memory.on_board(range))
        return diagnostics.error(at.place, fmt::format("memory of \"{}\", {:#x} to {:#x}, exceeds the board's, which is {}", partition.name,
                                                       range.begin, range.end(), memory.extent()));
    if (const Claim* const other = memory.clash(range))
        return diagnostics.error(
            at.place,
            fmt::format("memory of \"{}\", {:#x} to {:#x}, overlaps that of {}{}, {:#x} to {:#x}; move one, or leave memory_at out",
                        partition.name, range.begin, range.end(), other->owner,
                        other->place ? fmt::format(" at line {}", other->place->line) : std::string{}, other->range.begin,
                        other->range.end()));
    memory.claim(range, fmt::format("\"{}\"", partition.name), at.place);
    partition.regions.push_back({"memory", partition.ram, range.begin, range.size, all_rights});
}

void place_free(PlannedPartition& partition, const std::string& what, const Placed<std::uint64_t>& size, std::uint64_t ipa,
                std::uint64_t alignment, std::uint32_t rights, Memory& memory, Diagnostics& diagnostics) {
    const auto at = memory.find(size.value, alignment);
    if (!at)
        return diagnostics.error(
            size.place,
            fmt::format("{} of \"{}\", {}, exceeds what is left of the board's {} (taken: {}); give it less, or another partition", what,
                        partition.name, format_size(size.value), format_size(memory.total()), memory.shares()));
    memory.claim({*at, size.value}, fmt::format("\"{}\"", partition.name), size.place);
    partition.regions.push_back({what, ipa, *at, size.value, rights});
}

// What its server sees of it is a region for itself: each region is one partition's and its server's as a whole, or one's alone.
void split_memory(PlannedPartition& partition) {
    if (partition.bounced == 0) return;
    const auto whole = std::ranges::find(partition.regions, "memory", &PlannedRegion::what);
    if (whole == partition.regions.end()) return;  // there was no room for it, which was told
    const std::uint64_t pa = whole->pa;
    whole->size = partition.own_memory().size;
    const auto add = [&](const char* what, const AddressRange& part) {
        if (part.size != 0) partition.regions.push_back({what, part.begin, pa + (part.begin - partition.ram), part.size, all_rights});
    };
    add("shared memory", partition.shared_memory());
    add("memory", partition.memory_behind());
}

// RAM at address 0, and behind it what such images read first: the flash that holds their variables on the `virt` board, as it is
// when nothing was ever stored in it.
void place_boot_memory(PlannedPartition& partition, const Placed<std::uint64_t>& size, Memory& memory, Diagnostics& diagnostics) {
    if (size.value == 0 || size.value % kPageSize != 0 || size.value > platform::flash)
        return diagnostics.error(size.place,
                                 fmt::format("boot_memory of \"{}\" must be a multiple of 4 KiB, at most 64 MiB", partition.name));
    place_free(partition, "boot memory", size, 0, size.value % kBlockSize == 0 ? kBlockSize : kPageSize, all_rights, memory, diagnostics);
    place_free(partition, "empty flash", {platform::flash_size, size.place}, platform::flash, kPageSize, PARTITA_REGION_READ, memory,
               diagnostics);
}

// What a partition keeps through its lives: a server of a device, or the parent of images that arrive. And what a disk begins with.
void place_kept(PlannedPartition& partition, PlannedRegion& region, Memory& memory, Diagnostics& diagnostics) {
    const auto at = memory.find(region.size, region.size % kBlockSize == 0 ? kBlockSize : kPageSize);
    const Place& place = partition.description->memory.place;
    if (!at)
        return diagnostics.error(
            place, fmt::format("{} of \"{}\", {}, exceeds what is left of the board's {} (taken: {}); give it less", region.what,
                               partition.name, format_size(region.size), format_size(memory.total()), memory.shares()));
    memory.claim({*at, region.size}, fmt::format("\"{}\"", partition.name), place);
    region.pa = *at;
}

// Servers see the memory of those whose devices they serve: where it lies is known now.
void place_served(Plan& plan) {
    for (const PlannedPartition& client : plan.partitions)
        for (const PlannedVirtio& device : client.virtio)
            for (const PlannedRegion& own : client.regions)
                if (&device == &client.virtio.front() && own.ipa == client.shared_memory().begin && own.what.ends_with("memory"))
                    plan.partitions[device.server].regions.push_back({fmt::format("{} of {}", own.what, client.name), device.seen_at,
                                                                      own.pa, own.size,
                                                                      PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_SERVED});
}

// A part of a channel's memory: the same for both of its ends.
void place_part(Plan& plan, std::size_t number, std::size_t part, Memory& memory, const Place& where, Diagnostics& diagnostics) {
    const PlannedChannel& channel = plan.channels[number];
    const std::uint64_t size = channel.parts[part];
    const auto at = memory.find(size, size % kBlockSize == 0 ? kBlockSize : kPageSize);
    if (!at)
        return diagnostics.error(where, fmt::format("channel \"{}\": its {} exceed what is left of the board's {} (taken: {})",
                                                    channel.name, format_size(size), format_size(memory.total()), memory.shares()));
    memory.claim({*at, size}, fmt::format("channel \"{}\"", channel.name), where);
    const std::uint32_t attributes = PARTITA_REGION_CHANNEL | (channel.uncached ? PARTITA_REGION_UNCACHED : 0);
    for (const std::size_t end : {channel.from, channel.to.front()})
        for (const PlannedPort& port : plan.partitions[end].ports)
            for (const PlannedPart& seen : port.parts)
                if (port.channel == number && seen.part == part)
                    plan.partitions[end].regions.push_back({fmt::format("channel {}", channel.name), seen.ipa, *at, size,
                                                            attributes | rights_to_part(part, port.sends()),
                                                            static_cast<std::uint32_t>(number)});
}

}  // namespace

void plan_memory(Plan& plan, Diagnostics& diagnostics) {
    Memory memory{*plan.board};
    plan_own(plan, memory);
    std::vector<PlannedPartition*> good;
    for (PlannedPartition& partition : plan.partitions)
        if (good_size(partition, diagnostics)) good.push_back(&partition);
    for (PlannedPartition* const partition : good)
        if (partition->description->memory_at) place_fixed(*partition, memory, diagnostics);
    for (PlannedPartition* const partition : good) {
        const PartitionDescription& description = *partition->description;
        if (!description.memory_at)
            place_free(*partition, "memory", description.memory, partition->ram, kBlockSize, all_rights, memory, diagnostics);
        split_memory(*partition);
        if (description.boot_memory) place_boot_memory(*partition, *description.boot_memory, memory, diagnostics);
        partition->regions.push_back({"gicv", platform::gicc, plan.board->gicv.begin, platform::gicc_size,
                                      PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_DEVICE | PARTITA_REGION_SHARED});
    }
    for (PlannedPartition& partition : plan.partitions)
        for (PlannedRegion& region : partition.regions)
            if (region.pa == 0) place_kept(partition, region, memory, diagnostics);
    place_served(plan);
    for (std::size_t n = 0; n < plan.channels.size(); ++n)
        for (std::size_t part = 0; part < plan.channels[n].parts.size(); ++part)
            if (plan.channels[n].parts[part] != 0) place_part(plan, n, part, memory, plan.channels[n].place, diagnostics);
}

}  // namespace partita::tool
