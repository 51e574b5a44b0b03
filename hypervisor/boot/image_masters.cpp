#include "boot/image_masters.hpp"

#include "arch/address.hpp"

namespace partita {

using std::uint32_t;

namespace {

using Check = std::expected<void, ImageError>;

[[nodiscard]] std::unexpected<ImageError> fail(std::size_t master) {
    return std::unexpected(ImageError{ImageFault::bad_master, static_cast<uint32_t>(master)});
}

// A base address register with what lies above it in the next, where it is 64 bits wide.
struct Bar {
    std::uint64_t at = 0, size = 0;
    bool wide = false;
};

[[nodiscard]] bool read_bar(const partita_master& master, unsigned n, Bar& bar) {
    constexpr uint32_t kind = 0xf, width = 6, wide = 4;
    const uint32_t mask = master.bar_masks[n] & ~kind;
    bar.wide = (master.bars[n] & width) == wide;
    bar.at = master.bars[n] & ~kind;
    bar.size = 0u - mask;
    const bool good = (master.bars[n] & kind) == (master.bar_masks[n] & kind) && (master.bars[n] & 1u) == 0 && mask != 0 &&
                      (bar.size & (bar.size - 1)) == 0 && (bar.at & (bar.size - 1)) == 0;
    if (!good || !bar.wide) return good && (master.bars[n] & width) == 0;
    return n + 1 < 6 && master.bars[n + 1] == 0 && master.bar_masks[n + 1] == ~0u;
}

// The pages that a range touches are mapped to the partition at their own address, as a device.
[[nodiscard]] bool belongs(std::span<const partita_region> regions, std::uint64_t at, std::uint64_t size) {
    for (std::uint64_t page = at & ~(kPageSize - 1); page < at + size; page += kPageSize) {
        bool found = false;
        for (const partita_region& region : regions)
            found = found || ((region.flags & PARTITA_REGION_DEVICE) != 0 && region.ipa == region.pa && page >= region.pa &&
                              page - region.pa < region.size);
        if (!found) return false;
    }
    return true;
}

[[nodiscard]] bool good_bars(const ImageView& view, const partita_partition& partition, const partita_master& master) {
    const partita_board& board = view.header->board;
    const auto regions = view.regions.subspan(partition.regions.first, partition.regions.count);
    for (unsigned n = 0; n < 6; ++n) {
        if (master.bar_masks[n] == 0 && master.bars[n] == 0) continue;
        Bar bar;
        if (!read_bar(master, n, bar)) return false;
        constexpr std::uint64_t most = std::uint64_t{1} << 28;
        const bool reachable = bar.at >= board.pci_io && bar.at - board.pci_io < board.pci_io_size && bar.size <= most &&
                               bar.size <= board.pci_io_size - (bar.at - board.pci_io);
        if (!reachable || !belongs(regions, bar.at, bar.size)) return false;
        if (bar.wide) ++n;
    }
    return true;
}

[[nodiscard]] bool good_function(const ImageView& view, const partita_partition& partition, const partita_master& master) {
    if (master.function >= PARTITA_PCI_CONFIG_SIZE / kPageSize || master.config % kPageSize != 0 ||
        !PhysRange::make(PhysAddr{master.config}, kPageSize))
        return false;
    for (const partita_region& region : view.regions)
        if (PhysRange{PhysAddr{region.pa}, region.size}.overlaps({PhysAddr{master.config}, kPageSize})) return false;
    for (const partita_region& region : view.regions.subspan(partition.regions.first, partition.regions.count))
        if (IpaRange{Ipa{region.ipa}, region.size}.overlaps({Ipa{PARTITA_PCI_CONFIG}, PARTITA_PCI_CONFIG_SIZE})) return false;
    return good_bars(view, partition, master);
}

[[nodiscard]] bool alone(const ImageView& view, std::size_t n) {
    const partita_master& master = view.masters[n];
    const bool function = (master.flags & PARTITA_MASTER_PCI) != 0;
    for (const partita_master& other : view.masters.first(n)) {
        if (other.stream == master.stream) return false;
        const bool both = function && (other.flags & PARTITA_MASTER_PCI) != 0;
        if (both && (other.config == master.config || other.function == master.function)) return false;
    }
    return true;
}

}  // namespace

Check check_masters(const ImageView& view) {
    constexpr uint32_t known = PARTITA_MASTER_INTX | PARTITA_MASTER_MSI | PARTITA_MASTER_PCI;
    std::size_t sender = view.partitions.size();
    for (std::size_t p = 0; p < view.partitions.size(); ++p) {
        const partita_partition& partition = view.partitions[p];
        for (std::size_t n = partition.masters.first; n < partition.masters.first + partition.masters.count; ++n) {
            const partita_master& master = view.masters[n];
            if (view.header->board.smmu == 0 || (master.flags & ~known) != 0 || master.stream >= PARTITA_MAX_STREAMS || !alone(view, n))
                return fail(n);
            if ((master.flags & PARTITA_MASTER_PCI) != 0 && !good_function(view, partition, master)) return fail(n);
            if ((master.flags & PARTITA_MASTER_MSI) == 0) continue;
            if (sender != view.partitions.size() && sender != p) return fail(n);
            sender = p;
        }
    }
    return {};
}

}  // namespace partita
