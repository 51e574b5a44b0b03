#include "boot/image_virtio.hpp"

namespace partita {

using std::uint32_t;

namespace {

[[nodiscard]] auto devices_of(const ImageView& view, std::size_t partition) {
    const partita_slice own = view.partitions[partition].virtio;
    return view.virtio.subspan(own.first, own.count);
}

[[nodiscard]] auto regions_of(const ImageView& view, std::size_t partition) {
    const partita_slice own = view.partitions[partition].regions;
    return view.regions.subspan(own.first, own.count);
}

// Whether something else of the partition has this device's interrupt. (Its ports are checked with the channels.)
[[nodiscard]] bool has_another(const ImageView& view, const partita_partition& partition, const partita_virtio& device) {
    for (const uint32_t own : interrupts_of(partition))
        if (own == device.interrupt) return true;
    for (const partita_route& route : view.interrupts.subspan(partition.routes.first, partition.routes.count))
        if (route.intid == device.interrupt) return true;
    return false;
}

[[nodiscard]] bool good(const ImageView& view, std::size_t number, const partita_virtio& device) {
    const partita_partition& partition = view.partitions[number];
    if (device.slot >= PARTITA_VIRTIO_SLOTS || (device.version != 1 && device.version != 2)) return false;
    if (device.timeout_us == 0 || device.timeout_us > PARTITA_LONGEST_TIME_US) return false;
    if (device.interrupt < 32 || device.interrupt >= partition.interrupts || has_another(view, partition, device)) return false;
    if (device.server >= view.partitions.size() || device.server == number) return false;
    const partita_partition& server = view.partitions[device.server];
    if ((server.flags & PARTITA_RIGHT_SERVE) == 0 || server.serve_interrupt == 0) return false;
    for (const partita_virtio& other : devices_of(view, number))
        if (&other != &device && (other.slot == device.slot || other.interrupt == device.interrupt)) return false;
    return true;
}

// Memory for a server is that of a partition whose device it serves, whole; what is kept is the partition's own. Neither is executed.
[[nodiscard]] bool good_memory(const ImageView& view, std::size_t number, const partita_region& region) {
    constexpr uint32_t both = PARTITA_REGION_READ | PARTITA_REGION_WRITE;
    if ((region.flags & (PARTITA_REGION_SERVED | PARTITA_REGION_KEPT)) == 0) return true;
    if (region.flags == (both | PARTITA_REGION_KEPT)) return true;
    if (region.flags != (both | PARTITA_REGION_SERVED)) return false;
    for (std::size_t n = 0; n < view.partitions.size(); ++n) {
        if (!is_served(view, n, number)) continue;
        for (const partita_region& other : regions_of(view, n))
            if (other.flags == (both | PARTITA_REGION_EXECUTE) && other.pa == region.pa && other.size == region.size) return true;
    }
    return false;
}

}  // namespace

bool is_served(const ImageView& view, std::size_t partition, std::size_t server) {
    for (const partita_virtio& device : devices_of(view, partition))
        if (device.server == server) return true;
    return false;
}

bool same_served(const partita_region& one, const partita_region& other) {
    return ((one.flags | other.flags) & PARTITA_REGION_SERVED) != 0 && one.pa == other.pa && one.size == other.size;
}

std::expected<void, ImageError> check_virtio(const ImageView& view) {
    const auto fail = [](std::size_t record) { return std::unexpected(ImageError{ImageFault::bad_virtio, static_cast<uint32_t>(record)}); };
    if (view.virtio.size() > PARTITA_MAX_VIRTIO) return std::unexpected(ImageError{ImageFault::too_many, 0});
    for (std::size_t n = 0; n < view.partitions.size(); ++n) {
        for (const partita_virtio& device : devices_of(view, n))
            if (!good(view, n, device)) return fail(static_cast<std::size_t>(&device - view.virtio.data()));
        for (const partita_region& region : regions_of(view, n))
            if (!good_memory(view, n, region)) return fail(static_cast<std::size_t>(&region - view.regions.data()));
    }
    return {};
}

}  // namespace partita
