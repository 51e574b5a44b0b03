#include "plan/disks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "arch/address.hpp"
#include "config/units.hpp"
#include "memory_disk.hpp"
#include "plan/channel_memory.hpp"
#include "plan/placement.hpp"
#include "plan/server_devices.hpp"

namespace partita::tool {

namespace {

constexpr std::size_t longest_name = 20;  // Virtual I/O Device 1.2 §5.2.6: a serial
constexpr std::uint64_t largest = std::uint64_t{1} << 30;

[[nodiscard]] std::uint64_t pages(std::uint64_t bytes) { return (bytes + kPageSize - 1) / kPageSize * kPageSize; }

[[nodiscard]] bool good_name(const std::string& name) {
    return !name.empty() && name.size() <= longest_name &&
           std::ranges::all_of(name, [](const char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; });
}

// What says where on a disk of the board it lies.
void check_place(const DiskDescription& disk, Diagnostics& diagnostics) {
    const auto refuse = [&](const Place& place, std::string_view what, std::string_view mend) {
        diagnostics.error(place, fmt::format("disk \"{}\" {}; {}", disk.name.value, what, mend));
    };
    if (!disk.on) {
        if (disk.at) refuse(disk.at->place, "has a place (at), but lies on no other disk", "add one, like on = \"disk0\", or take it out");
        if (disk.gpt) refuse(disk.gpt->place, "has a partition (gpt), but lies on no disk", "add one, like on = \"disk0\", or take it out");
        return;
    }
    if (disk.image) refuse(disk.image->place, "lies on a disk of the board, which has its contents", "take the image out, or on");
    if (disk.gpt && (disk.at || disk.size))
        refuse(disk.gpt->place, "has both a partition (gpt) and a range (at, size)", "take one of them out");
    if (!disk.gpt && disk.at.has_value() != disk.size.has_value())
        refuse(disk.at ? disk.at->place : disk.size->place, "has only one of at and size",
               "add the other, or take it out for all of the disk");
    if (disk.at && disk.at->value % kPageSize != 0) refuse(disk.at->place, "must begin at a multiple of 4 KiB", "move it");
    constexpr std::size_t longest_gpt_name = 36;
    if (disk.gpt && (disk.gpt->value.empty() || disk.gpt->value.size() > longest_gpt_name ||
                     std::ranges::any_of(disk.gpt->value, [](const char c) { return c < ' ' || c > '~'; })))
        refuse(disk.gpt->place, "names a partition that a GPT cannot have here", "use ASCII, 1 to 36 characters");
}

void check_changes(const DiskDescription& disk, Diagnostics& diagnostics) {
    if (!disk.changes) return;
    const auto refuse = [&](std::string_view what) {
        diagnostics.error(disk.changes->place, fmt::format("disk \"{}\" {}", disk.name.value, what));
    };
    if (!disk.image && !disk.on) return refuse("has no image that it could leave as it is; add one, or take changes out");
    if (disk.on) return refuse("lies on a disk of the board, where all of it can be changed; take changes out");
    if (disk.read_only.value) return refuse("can be read only; take read_only or changes out");
    const std::uint64_t size = disk.changes->value;
    if (size == 0 || size % kPageSize != 0 || size > largest)
        refuse(fmt::format("can have a multiple of 4 KiB for changes, at most 1 GiB, not {}", format_size(size)));
}

// Sectors, from where to where; all of the disk where nothing is said, and none that is known where a name says it.
struct Extent {
    std::uint64_t begin = 0, end = ~std::uint64_t{0};
};
[[nodiscard]] bool lie_over_each_other(const DiskDescription& one, const DiskDescription& other) {
    if (one.read_only.value && other.read_only.value) return false;
    if (one.gpt && other.gpt) return one.gpt->value == other.gpt->value;
    if ((one.gpt && other.at) || (other.gpt && one.at)) return false;  // the server sees
    const auto extent = [](const DiskDescription& disk) {
        return disk.at && disk.size ? Extent{disk.at->value, disk.at->value + disk.size->value} : Extent{};
    };
    const Extent its = extent(one), others = extent(other);
    return its.begin < others.end && others.begin < its.end;
}

}  // namespace

void find_real_disk(const Plan& plan, const PlannedPartition& server, PlannedDisk& disk, Diagnostics& diagnostics) {
    constexpr std::uint32_t virtio_disk = 0x1042'1af4;
    disk.on = find_driven(plan, server, *disk.description.on,
                          {virtio_disk, "disk", fmt::format("disk \"{}\"", disk.description.name.value)}, diagnostics);
}

void check_real_disks(const Plan& plan, Diagnostics& diagnostics) {
    std::vector<std::pair<const PlannedDisk*, const PlannedPartition*>> all;
    for (const PlannedPartition& partition : plan.partitions)
        for (const PlannedVirtio& device : partition.virtio)
            if (device.disk && device.disk->on != nullptr) {
                const auto over = std::ranges::find_if(all, [&](const auto& other) {
                    return other.first->on == device.disk->on && lie_over_each_other(other.first->description, device.disk->description);
                });
                if (over != all.end())
                    diagnostics.error(device.disk->description.place,
                                      fmt::format("disk \"{}\" of \"{}\" lies over disk \"{}\" of \"{}\" (line {}); move one, or make "
                                                  "both read_only",
                                                  device.disk->description.name.value, partition.name, over->first->description.name.value,
                                                  over->second->name, over->first->description.place.line));
                all.emplace_back(&*device.disk, &partition);
            }
}

void check_disks(const PlannedPartition& partition, Diagnostics& diagnostics) {
    const std::vector<DiskDescription>& disks = partition.description->disks;
    for (std::size_t n = 0; n < disks.size(); ++n) {
        const DiskDescription& disk = disks[n];
        if (disk.name.place == disk.place) continue;  // it has none, which was told
        if (!good_name(disk.name.value))
            diagnostics.error(disk.name.place, fmt::format("a disk cannot be called \"{}\"; use letters, digits, - and _, at most {}",
                                                           disk.name.value, longest_name));
        const auto same = std::find_if(disks.begin(), disks.begin() + static_cast<std::ptrdiff_t>(n),
                                       [&](const DiskDescription& other) { return other.name.value == disk.name.value; });
        if (same != disks.begin() + static_cast<std::ptrdiff_t>(n))
            diagnostics.error(disk.name.place, fmt::format("\"{}\" has another disk \"{}\", at line {}; rename one", partition.name,
                                                           disk.name.value, same->place.line));
        check_place(disk, diagnostics);
        if (!disk.size && !disk.image && !disk.on)
            diagnostics.error(disk.place,
                              fmt::format("disk \"{}\" has neither size nor image; add one, like size = \"16 MiB\"", disk.name.value));
        if (disk.size && (disk.size->value == 0 || disk.size->value % kPageSize != 0 || (!disk.on && disk.size->value > largest)))
            diagnostics.error(disk.size->place,
                              fmt::format("the size of disk \"{}\" must be a multiple of 4 KiB{}, not {}", disk.name.value,
                                          disk.on ? "" : ", at most 1 GiB", format_size(disk.size->value)));
        check_changes(disk, diagnostics);
        if (disk.read_only.value && !disk.image && !disk.on)
            diagnostics.error(disk.read_only.place,
                              fmt::format("disk \"{}\" would be zeros for ever; give it an image, or take read_only out", disk.name.value));
    }
}

namespace {

// Another disk of the server with the same image: that is read only, whatever the disk is.
[[nodiscard]] const PlannedDisk* with_same_image(const Plan& plan, std::size_t server, const std::filesystem::path& image) {
    for (const PlannedPartition& partition : plan.partitions)
        for (const PlannedVirtio& device : partition.virtio)
            if (device.server == server && device.disk && device.disk->image_size != 0 && device.disk->description.image->value == image)
                return &*device.disk;
    return nullptr;
}

// Room in the server's address space, for one disk.
class DiskPlacer {
public:
    DiskPlacer(PlannedPartition& server, const Place& place, std::uint64_t from, Diagnostics& diagnostics)
        : server_(server), place_(place), from_(from), diagnostics_(diagnostics) {}

    [[nodiscard]] std::uint64_t place(const std::string& what, std::uint64_t size, std::uint32_t flags) {
        const auto at = free_address(server_, size, from_);
        if (!at)
            diagnostics_.error(place_, fmt::format("the address space of \"{}\" has no room for {}, {}; make it smaller, or give it to "
                                                   "another server",
                                                   server_.name, what, format_size(size)));
        if (at) server_.regions.push_back({what, *at, 0, size, flags});
        return at.value_or(0);
    }
    // False: it cannot be read, which is told.
    [[nodiscard]] bool place_image(PlannedDisk& disk, const std::string& name) {
        auto image = read_image(*disk.description.image, "the image of a disk", diagnostics_);
        if (!image) return false;
        disk.image_size = image->size();
        disk.image_at = place("the image of " + name, pages(disk.image_size), PARTITA_REGION_READ);
        server_.copies.push_back({"image of " + name, disk.image_at, std::move(*image)});
        return true;
    }

private:
    PlannedPartition& server_;
    const Place& place_;
    std::uint64_t from_;
    Diagnostics& diagnostics_;
};

}  // namespace

void place_disk(Plan& plan, std::size_t number, const PlannedPartition& client, PlannedDisk& disk, std::uint64_t from,
                Diagnostics& diagnostics) {
    const DiskDescription& description = disk.description;
    DiskPlacer placer{plan.partitions[number], description.place, from, diagnostics};
    const std::string name = fmt::format("disk {} of {}", description.name.value, client.name);
    if (description.image) {
        const PlannedDisk* const same = with_same_image(plan, number, description.image->value);
        if (same != nullptr)
            disk.image_at = same->image_at, disk.image_size = same->image_size;
        else if (!placer.place_image(disk, name))
            return;
    }
    disk.size = description.size ? description.size->value : pages(disk.image_size);
    if (disk.image_size > disk.size || disk.size == 0)
        return diagnostics.error(description.size ? description.size->place : description.image->place,
                                 fmt::format("disk \"{}\" has {}, but its image {} bytes; give it at least that", description.name.value,
                                             format_size(disk.size), disk.image_size));
    constexpr std::uint32_t kept = PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_KEPT;
    if (description.read_only.value)
        disk.at = disk.image_at, disk.size = pages(disk.image_size);
    else if (description.changes)
        disk.at = placer.place("changes of " + name, parent::MemoryDisk::kept_size(disk.size, description.changes->value), kept);
    else
        disk.at = placer.place(name, disk.size, kept);
}

}  // namespace partita::tool
