#include "boot/image_check.hpp"

#include <utility>

#include "arch/address.hpp"
#include "boot/image_channels.hpp"
#include "boot/image_contents.hpp"
#include "boot/image_masters.hpp"
#include "boot/image_virtio.hpp"
#include "partita/trusted.h"

namespace partita {

using std::uint32_t;

static_assert(offsetof(partita_image_header, board) + offsetof(partita_board, uart) == 104, "boot.S: UART_OFFSET");

namespace {

using Check = std::expected<void, ImageError>;

[[nodiscard]] std::unexpected<ImageError> fail(ImageFault fault, std::size_t record = 0) {
    return std::unexpected(ImageError{fault, static_cast<uint32_t>(record)});
}

template <typename Record>
[[nodiscard]] bool take(std::span<const std::byte> bytes, partita_table table, std::span<const Record>& out) {
    if (table.offset % alignof(std::uint64_t) != 0 || table.offset > bytes.size()) return false;
    if (table.count > (bytes.size() - table.offset) / sizeof(Record)) return false;
    out = {reinterpret_cast<const Record*>(bytes.data() + table.offset), table.count};
    return true;
}

[[nodiscard]] bool inside(partita_slice slice, std::size_t records) {
    return slice.first <= records && slice.count <= records - slice.first;
}

[[nodiscard]] IpaRange ipa_range(const partita_region& region) { return {Ipa{region.ipa}, region.size}; }
[[nodiscard]] PhysRange pa_range(const partita_region& region) { return {PhysAddr{region.pa}, region.size}; }

[[nodiscard]] Check check_header(std::span<const std::byte> bytes) {
    if (bytes.size() < sizeof(partita_image_header)) return fail(ImageFault::too_short);
    const auto& header = *reinterpret_cast<const partita_image_header*>(bytes.data());
    if (header.magic != PARTITA_IMAGE_MAGIC) return fail(ImageFault::not_an_image);
    if (header.version != PARTITA_IMAGE_VERSION) return fail(ImageFault::wrong_version);
    if (header.size != bytes.size() || header.size % 8 != 0) return fail(ImageFault::too_short);
    if (image_checksum(bytes) != 0) return fail(ImageFault::checksum);
    const bool pool_inside = header.hypervisor_base <= header.pool_base && header.pool_base % 0x4000 == 0 &&
                             PhysRange::make(PhysAddr{header.pool_base}, header.pool_size) &&
                             PhysRange::make(PhysAddr{header.hypervisor_end}, 0) &&
                             header.pool_base + header.pool_size <= header.hypervisor_end && header.hypervisor_base % kBlockSize == 0 &&
                             header.hypervisor_end - header.hypervisor_base <= kBlockSize;
    return pool_inside ? Check{} : fail(ImageFault::misaligned);
}

[[nodiscard]] Check check_region(const ImageView& view, std::size_t n) {
    const partita_region& region = view.regions[n];
    if (region.size == 0 || region.size % kPageSize != 0 || region.ipa % kPageSize != 0 || region.pa % kPageSize != 0)
        return fail(ImageFault::misaligned, n);
    if (!IpaRange::make(Ipa{region.ipa}, region.size) || region.ipa + region.size > std::uint64_t{1} << 32)
        return fail(ImageFault::misaligned, n);
    if (!PhysRange::make(PhysAddr{region.pa}, region.size)) return fail(ImageFault::misaligned, n);
    const PhysRange own{PhysAddr{view.header->hypervisor_base}, view.header->hypervisor_end - view.header->hypervisor_base};
    if (pa_range(region).overlaps(own)) return fail(ImageFault::overlap, n);
    const bool shared = (region.flags & PARTITA_REGION_SHARED) != 0;
    // What is shared is the GIC's virtual CPU interface, and nothing else.
    if (shared && (region.pa != view.header->board.gicv || region.size > 0x2000 || (region.flags & PARTITA_REGION_DEVICE) == 0))
        return fail(ImageFault::overlap, n);
    for (const partita_region& other : view.regions.first(n)) {
        const bool both_shared =
            (shared && (other.flags & PARTITA_REGION_SHARED) != 0) || same_memory(region, other) || same_served(region, other);
        if (!both_shared && pa_range(region).overlaps(pa_range(other))) return fail(ImageFault::overlap, n);
    }
    const partita_board& board = view.header->board;
    const std::uint64_t smmu_size = board.smmu != 0 ? 0x2'0000 : 0;
    for (const auto& [frame, size] : {std::pair{board.gicd, kPageSize},
                                      {board.gicc, 2 * kPageSize},
                                      {board.gich, kPageSize},
                                      {board.uart, kPageSize},
                                      {board.smmu, smmu_size}})
        if (size != 0 && pa_range(region).overlaps({PhysAddr{frame}, size})) return fail(ImageFault::overlap, n);
    return {};
}

[[nodiscard]] Check at(std::expected<void, ImageFault> checked, std::size_t record) {
    return checked ? Check{} : fail(checked.error(), record);
}

[[nodiscard]] Check check_memory(const ImageView& view, const partita_partition& partition, std::size_t n) {
    const auto regions = view.regions.subspan(partition.regions.first, partition.regions.count);
    for (std::size_t a = 0; a < regions.size(); ++a)
        for (std::size_t b = 0; b < a; ++b)
            if (ipa_range(regions[a]).overlaps(ipa_range(regions[b]))) return fail(ImageFault::overlap, partition.regions.first + a);
    const auto copies = view.copies.subspan(partition.copies.first, partition.copies.count);
    const auto patches = view.patches.subspan(partition.patches.first, partition.patches.count);
    // What is given to it at run time is checked then.
    if ((partition.flags & PARTITA_POOL) != 0) {
        const bool empty = copies.empty() && patches.empty() && (partition.flags & PARTITA_OFF_AT_BOOT) != 0;
        return empty ? Check{} : fail(ImageFault::bad_reference, n);
    }
    if (auto ok = at(check_copies(regions, copies), n); !ok) return ok;
    // An image that lies in some partition's memory would be scrubbed, or could be changed.
    for (const partita_copy& copy : copies)
        for (const partita_region& region : view.regions)
            if (pa_range(region).overlaps({PhysAddr{copy.source}, copy.size})) return fail(ImageFault::overlap, n);
    if (auto ok = at(check_patches(regions, patches), n); !ok) return ok;
    return at(check_entry(regions, partition.entry), n);
}

[[nodiscard]] Check check_slots(const partita_partition& partition, std::size_t n) {
    for (uint32_t slot = 0; slot < PARTITA_TRAP_SLOTS; ++slot) {
        const partita_trap_slot& trap = partition.traps[slot];
        if (trap.device == PARTITA_DEVICE_NONE && trap.page == PARTITA_NO_PAGE) continue;
        if (trap.device == PARTITA_DEVICE_NONE || trap.device == PARTITA_DEVICE_PCI || trap.device > PARTITA_DEVICE_VIRTIO ||
            trap.page * partition.trap_multiplier >> 27 != slot)
            return fail(ImageFault::bad_slot, n);
        const bool silent = (trap.device == PARTITA_DEVICE_PL031 && partition.clock_interrupt == 0) ||
                            (trap.device == PARTITA_DEVICE_SP805 && partition.watchdog_interrupt == 0) ||
                            (trap.device == PARTITA_DEVICE_PL061 && partition.gpio_interrupt == 0) ||
                            (trap.device == PARTITA_DEVICE_VIRTIO && partition.virtio.count == 0) ||
                            (trap.device == PARTITA_DEVICE_CONTROL && partition.control_interrupt == 0);
        if (silent) return fail(ImageFault::bad_slot, n);
    }
    return {};
}

[[nodiscard]] bool has(std::span<const uint32_t> ids, uint32_t id) {
    for (const uint32_t one : ids)
        if (one == id) return true;
    return false;
}

[[nodiscard]] Check check_interrupts(const ImageView& view, const partita_partition& partition, std::size_t n) {
    const uint32_t most = partition.interrupts;
    if (most < 64 || most > PARTITA_MAX_INTERRUPTS || most % 32 != 0) return fail(ImageFault::bad_interrupt, n);
    if (partition.console_interrupt == 0) return fail(ImageFault::bad_interrupt, n);
    const auto emulated = interrupts_of(partition);
    for (std::size_t own = 0; own < emulated.size(); ++own) {
        if (emulated[own] == 0) continue;
        if (emulated[own] < 32 || emulated[own] >= most || has(std::span{emulated}.first(own), emulated[own]))
            return fail(ImageFault::bad_interrupt, n);
    }
    for (std::size_t route = partition.routes.first; route < partition.routes.first + partition.routes.count; ++route) {
        const uint32_t id = view.interrupts[route].intid;
        if (id < 32 || id >= most || id == view.header->board.uart_interrupt ||
            (view.header->board.smmu != 0 && id == view.header->board.smmu_interrupt) || has(emulated, id))
            return fail(ImageFault::bad_interrupt, route);
        for (std::size_t other = 0; other < route; ++other)
            if (view.interrupts[other].intid == id) return fail(ImageFault::bad_interrupt, route);
    }
    return {};
}

[[nodiscard]] Check check_vcpus(const ImageView& view, const partita_partition& partition, std::size_t n) {
    if (partition.vcpus.count == 0) return fail(ImageFault::no_vcpu, n);
    if (partition.vcpus.count > PARTITA_MAX_VCPUS_PER_PARTITION) return fail(ImageFault::too_many, n);
    for (uint32_t index = 0; index < partition.vcpus.count; ++index) {
        const partita_vcpu& vcpu = view.vcpus[partition.vcpus.first + index];
        if (vcpu.partition != n || vcpu.index != index || vcpu.cpu >= view.cpus.size())
            return fail(ImageFault::bad_reference, partition.vcpus.first + index);
    }
    return {};
}

// Performance counters are one virtual CPU's: there is nothing that would move them at a switch.
[[nodiscard]] Check check_counters(const ImageView& view, const partita_partition& partition, std::size_t n) {
    if ((partition.flags & PARTITA_PMU) == 0) return {};
    const uint32_t id = view.header->board.pmu_interrupt;
    constexpr uint32_t taken = 1u << 25 | 1u << 26 | 1u << 27 | 1u << 30;  // maintenance, Hyp timer, virtual and emulated physical timer
    if (id < 16 || id >= 32 || (taken >> id & 1u) != 0) return fail(ImageFault::bad_interrupt, n);
    for (const partita_vcpu& own : view.vcpus.subspan(partition.vcpus.first, partition.vcpus.count))
        for (const partita_vcpu& other : view.vcpus)
            if (&other != &own && other.cpu == own.cpu) return fail(ImageFault::bad_reference, n);
    return {};
}

// Every record belongs to exactly one partition, in order: so each slice begins where the one before it ended.
struct Taken {
    uint32_t vcpus = 0, regions = 0, copies = 0, patches = 0, routes = 0, masters = 0, ports = 0, virtio = 0;

    [[nodiscard]] static bool next(uint32_t& taken, partita_slice slice, std::size_t records) {
        if (slice.first != taken || !inside(slice, records)) return false;
        taken += slice.count;
        return true;
    }
    [[nodiscard]] bool add(const ImageView& view, const partita_partition& partition) {
        return next(vcpus, partition.vcpus, view.vcpus.size()) && next(regions, partition.regions, view.regions.size()) &&
               next(copies, partition.copies, view.copies.size()) && next(patches, partition.patches, view.patches.size()) &&
               next(routes, partition.routes, view.interrupts.size()) && next(masters, partition.masters, view.masters.size()) &&
               next(ports, partition.ports, view.ports.size()) && next(virtio, partition.virtio, view.virtio.size());
    }
};

// The parent partition manages, and there is one at most.
[[nodiscard]] Check check_parent(const ImageView& view, const partita_partition& partition, std::size_t n) {
    if ((partition.control_interrupt != 0) != (partition.events_interrupt != 0)) return fail(ImageFault::bad_interrupt, n);
    if (partition.control_interrupt == 0) return {};
    if ((partition.flags & PARTITA_RIGHT_MANAGE) == 0) return fail(ImageFault::bad_reference, n);
    for (const partita_partition& other : view.partitions.first(n))
        if (other.control_interrupt != 0) return fail(ImageFault::bad_reference, n);
    return {};
}

[[nodiscard]] Check check_health(const partita_partition& partition, std::size_t n) {
    const bool watchdog =
        partition.watchdog_interrupt == 0 || (partition.watchdog_ms != 0 && partition.watchdog_ms <= PARTITA_LONGEST_HEALTH_MS);
    const bool limit =
        partition.restart_limit == 0 || (partition.restart_period_ms != 0 && partition.restart_period_ms <= PARTITA_LONGEST_HEALTH_MS);
    const bool functions = (partition.trusted & ~PARTITA_TRUSTED_ALL) == 0;
    return watchdog && limit && functions ? Check{} : fail(ImageFault::bad_reference, n);
}

[[nodiscard]] Check check_budget(const partita_partition& partition, std::size_t n) {
    if (partition.budget_us == 0) return {};
    const bool good = partition.period_us <= PARTITA_LONGEST_TIME_US && partition.budget_us <= partition.period_us;
    return good ? Check{} : fail(ImageFault::bad_schedule, n);
}

// The windows of one CPU in one schedule: their length in all, or 0 where one is impossible.
[[nodiscard]] std::uint64_t frame_length(const ImageView& view, partita_slice frame) {
    std::uint64_t length = 0;
    for (const partita_window& window : view.windows.subspan(frame.first, frame.count)) {
        const bool good = window.length_us >= PARTITA_SHORTEST_WINDOW_US && window.length_us <= PARTITA_LONGEST_TIME_US &&
                          window.partitions >> view.partitions.size() == 0;
        if (!good) return 0;
        length += window.length_us;
    }
    return length <= PARTITA_LONGEST_TIME_US ? length : 0;
}

// Every window belongs to one frame, in order; the frames of a schedule are equally long; a CPU has windows in all schedules or in none.
[[nodiscard]] Check check_frames(const ImageView& view) {
    const std::size_t cpus = view.cpus.size(), schedules = view.frames.size() / cpus;
    if (view.frames.size() % cpus != 0 || schedules > PARTITA_MAX_SCHEDULES || view.windows.size() > PARTITA_MAX_WINDOWS)
        return fail(ImageFault::too_many);
    std::size_t taken = 0;
    for (std::size_t n = 0; n < view.frames.size(); ++n) {
        const partita_slice frame = view.frames[n];
        if (frame.first != taken || !inside(frame, view.windows.size())) return fail(ImageFault::bad_reference, n);
        taken += frame.count;
        if ((frame.count == 0) != (view.frames[n % cpus].count == 0)) return fail(ImageFault::bad_schedule, n);
        if (frame.count == 0) continue;
        std::size_t first = n - n % cpus;  // the first frame of this schedule that has windows
        while (view.frames[first].count == 0) ++first;
        const std::uint64_t length = frame_length(view, frame);
        if (length == 0 || length != frame_length(view, view.frames[first])) return fail(ImageFault::bad_schedule, n);
    }
    return taken == view.windows.size() ? Check{} : fail(ImageFault::bad_reference, taken);
}

[[nodiscard]] Check check_partition(const ImageView& view, std::size_t n) {
    const partita_partition& partition = view.partitions[n];
    if (!is_good_name(partition.name)) return fail(ImageFault::bad_name, n);
    if (auto ok = check_vcpus(view, partition, n); !ok) return ok;
    if (auto ok = check_counters(view, partition, n); !ok) return ok;
    if (auto ok = check_budget(partition, n); !ok) return ok;
    if (auto ok = check_health(partition, n); !ok) return ok;
    if (auto ok = check_parent(view, partition, n); !ok) return ok;
    if (auto ok = check_memory(view, partition, n); !ok) return ok;
    if (auto ok = check_slots(partition, n); !ok) return ok;
    return check_interrupts(view, partition, n);
}

[[nodiscard]] Check check_counts(const ImageView& view) {
    constexpr std::size_t most_records = 256;
    if (view.cpus.empty() || view.cpus.size() > PARTITA_MAX_CPUS) return fail(ImageFault::too_many);
    if (view.partitions.empty() || view.partitions.size() > PARTITA_MAX_PARTITIONS) return fail(ImageFault::too_many);
    if (view.header->board.uart_cpu >= view.cpus.size()) return fail(ImageFault::bad_reference);
    if (view.vcpus.size() > PARTITA_MAX_VCPUS) return fail(ImageFault::too_many);
    for (const partita_cpu& cpu : view.cpus)
        if (cpu.slice_us > PARTITA_LONGEST_TIME_US || cpu.tick_us > PARTITA_LONGEST_TIME_US || cpu.activation_ns > 1'000'000)
            return fail(ImageFault::bad_schedule);
    const partita_image_header& header = *view.header;
    if (header.trace_base != 0) {
        const std::uint64_t size = header.trace_size, most = kBlockSize;
        const bool good = size >= kPageSize && size <= most && (size & (size - 1)) == 0 && header.trace_base % size == 0 &&
                          header.trace_base >= header.pool_base + header.pool_size && header.trace_base <= header.hypervisor_end &&
                          size * view.cpus.size() <= header.hypervisor_end - header.trace_base;
        if (!good) return fail(ImageFault::misaligned);
    }
    if (view.regions.size() > most_records || view.copies.size() > most_records || view.patches.size() > most_records ||
        view.interrupts.size() > PARTITA_MAX_INTERRUPTS || view.masters.size() > PARTITA_MAX_MASTERS)
        return fail(ImageFault::too_many);
    return {};
}

}  // namespace

const char* describe(ImageFault fault) {
    switch (fault) {
        case ImageFault::too_short: return "the description is shorter than it says";
        case ImageFault::not_an_image: return "no system image where the hypervisor looks for it";
        case ImageFault::wrong_version: return "the system image is of another version than the hypervisor";
        case ImageFault::checksum: return "the description's checksum is wrong: it was damaged";
        case ImageFault::table_outside: return "a table lies outside the description";
        case ImageFault::too_many: return "more records than the hypervisor has room for";
        case ImageFault::bad_reference: return "a record refers to one that does not exist";
        case ImageFault::bad_name: return "a partition's name is empty, has no end, or has other characters than letters, digits, - and _";
        case ImageFault::misaligned: return "an address is not aligned or beyond the address space";
        case ImageFault::overlap: return "memory has two owners";
        case ImageFault::outside_region: return "an image, a field or the entry lies outside its partition's memory";
        case ImageFault::bad_interrupt: return "an interrupt does not exist or has two owners";
        case ImageFault::bad_slot: return "an emulated page is in the wrong slot";
        case ImageFault::no_vcpu: return "a partition has no virtual CPU";
        case ImageFault::bad_master: return "a device that reads and writes memory by itself is impossible, or is not confined";
        case ImageFault::bad_virtio: return "a virtio device, or memory for its server, is impossible";
        case ImageFault::bad_channel: return "a channel or an end of one is impossible";
        case ImageFault::bad_schedule: return "a window, a budget or a slice is impossible";
    }
    return "unknown";
}

uint32_t image_checksum(std::span<const std::byte> bytes) {
    uint32_t sum = 0;
    for (std::size_t n = 0; n + 4 <= bytes.size(); n += 4) {
        using Word [[gnu::may_alias]] = uint32_t;  // a copy of four bytes is a call where code is to be small
        sum += *reinterpret_cast<const Word*>(bytes.data() + n);
    }
    return 0u - sum;
}

std::expected<ImageView, ImageError> check_image(std::span<const std::byte> bytes) {
    if (auto ok = check_header(bytes); !ok) return std::unexpected(ok.error());
    ImageView view{};
    view.header = reinterpret_cast<const partita_image_header*>(bytes.data());
    const partita_image_header& header = *view.header;
    const bool tables =
        take(bytes, header.cpus, view.cpus) && take(bytes, header.partitions, view.partitions) && take(bytes, header.vcpus, view.vcpus) &&
        take(bytes, header.regions, view.regions) && take(bytes, header.copies, view.copies) && take(bytes, header.patches, view.patches) &&
        take(bytes, header.interrupts, view.interrupts) && take(bytes, header.masters, view.masters) &&
        take(bytes, header.channels, view.channels) && take(bytes, header.ports, view.ports) && take(bytes, header.virtio, view.virtio) &&
        take(bytes, header.frames, view.frames) && take(bytes, header.windows, view.windows);
    if (!tables) return fail(ImageFault::table_outside);
    if (auto ok = check_counts(view); !ok) return std::unexpected(ok.error());
    Taken taken;
    for (std::size_t n = 0; n < view.partitions.size(); ++n)
        if (!taken.add(view, view.partitions[n])) return fail(ImageFault::bad_reference, n);
    for (std::size_t n = 0; n < view.regions.size(); ++n)
        if (auto ok = check_region(view, n); !ok) return std::unexpected(ok.error());
    for (std::size_t n = 0; n < view.partitions.size(); ++n)
        if (auto ok = check_partition(view, n); !ok) return std::unexpected(ok.error());
    if (auto ok = check_masters(view); !ok) return std::unexpected(ok.error());
    if (auto ok = check_channels(view); !ok) return std::unexpected(ok.error());
    if (auto ok = check_virtio(view); !ok) return std::unexpected(ok.error());
    if (auto ok = check_frames(view); !ok) return std::unexpected(ok.error());
    return view;
}

}  // namespace partita
