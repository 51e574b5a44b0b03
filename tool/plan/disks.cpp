#include "plan/disks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "arch/address.hpp"
#include "config/units.hpp"
#include "plan/channel_memory.hpp"
#include "plan/placement.hpp"

namespace partita::tool {

namespace {

constexpr std::size_t longest_name = 20;  // Virtual I/O Device 1.2 §5.2.6: a serial
constexpr std::uint64_t largest = std::uint64_t{1} << 30;

[[nodiscard]] std::uint64_t pages(std::uint64_t bytes) { return (bytes + kPageSize - 1) / kPageSize * kPageSize; }

[[nodiscard]] bool good_name(const std::string& name) {
    return !name.empty() && name.size() <= longest_name &&
           std::ranges::all_of(name, [](const char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; });
}

}  // namespace

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
        if (!disk.size && !disk.image)
            diagnostics.error(disk.place,
                              fmt::format("disk \"{}\" has neither size nor image; add one, like size = \"16 MiB\"", disk.name.value));
        if (disk.size && (disk.size->value == 0 || disk.size->value % kPageSize != 0 || disk.size->value > largest))
            diagnostics.error(disk.size->place, fmt::format("the size of disk \"{}\" must be a multiple of 4 KiB, at most 1 GiB, not {}",
                                                            disk.name.value, format_size(disk.size->value)));
        if (disk.read_only.value && !disk.image)
            diagnostics.error(disk.read_only.place,
                              fmt::format("disk \"{}\" would be zeros for ever; give it an image, or take read_only out", disk.name.value));
    }
}

void place_disk(PlannedPartition& server, const PlannedPartition& client, PlannedDisk& disk, std::uint64_t from, Diagnostics& diagnostics) {
    const DiskDescription& description = disk.description;
    std::optional<Bytes> image;
    if (description.image) {
        image = read_image(*description.image, "the image of a disk", diagnostics);
        if (!image) return;
    }
    disk.image_size = image ? image->size() : 0;
    disk.size = description.size ? description.size->value : pages(disk.image_size);
    if (disk.image_size > disk.size || disk.size == 0)
        return diagnostics.error(description.size ? description.size->place : description.image->place,
                                 fmt::format("disk \"{}\" has {}, but its image {} bytes; give it at least that", description.name.value,
                                             format_size(disk.size), disk.image_size));
    const std::string name = fmt::format("disk {} of {}", description.name.value, client.name);
    const auto place = [&](const std::string& what, std::uint64_t size, std::uint32_t flags) {
        const auto at = free_address(server, size, from);
        if (!at)
            diagnostics.error(description.place,
                              fmt::format("the address space of \"{}\" has no room for {}, {}; make it smaller, or give it to "
                                          "another server",
                                          server.name, what, format_size(size)));
        if (at) server.regions.push_back({what, *at, 0, size, flags});
        return at.value_or(0);
    };
    if (image) disk.image_at = place("the image of " + name, pages(disk.image_size), PARTITA_REGION_READ);
    if (description.read_only.value)
        disk.at = disk.image_at, disk.size = pages(disk.image_size);
    else
        disk.at = place(name, disk.size, PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_KEPT);
    if (image) server.copies.push_back({"image of " + name, disk.image_at, std::move(*image)});
}

}  // namespace partita::tool
