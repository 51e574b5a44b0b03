#include "hyp_map.hpp"

#include <array>

#include "arch/bits.hpp"
#include "arch/registers.hpp"
#include "barrier.hpp"
#include "machine/guard.hpp"
#include "machine/layout.hpp"

using Table = std::array<std::uint64_t, 512>;

// boot.S fills the first entries, with the MMU off.
extern "C" {
[[gnu::section(".bss.tables"), gnu::aligned(4096)]] Table hyp_l2_top;
[[gnu::section(".bss.tables"), gnu::aligned(4096)]] Table hyp_l2_boot;
[[gnu::section(".bss.tables"), gnu::aligned(4096)]] Table hyp_l3_image;
[[gnu::section(".bss.tables"), gnu::aligned(4096)]] Table hyp_l3_devices;
[[gnu::section(".bss.tables"), gnu::aligned(64)]] std::array<std::uint64_t, 4> hyp_l1;
}

namespace partita::hyp_map {

namespace {

// Hyp stage-1 descriptors (ARM DDI 0406C.d B3.6.1, B3.6.2): AP[1] is one in Hyp, AP[2] takes writing away.
constexpr std::uint64_t page = 3, block = 1, table = 3;
constexpr std::uint64_t normal = 1u << 2, accessible = 1u << 6 | 1u << 10, inner_shareable = 3u << 8, no_write = 1u << 7;
constexpr std::uint64_t execute_never = std::uint64_t{1} << 54;

[[nodiscard]] std::uint64_t attributes(Kind kind) {
    switch (kind) {
        case Kind::read_only: return normal | inner_shareable | accessible | no_write | execute_never;
        case Kind::read_write: return normal | inner_shareable | accessible | execute_never;
        case Kind::device: break;
    }
    return accessible | execute_never;
}

[[nodiscard]] std::size_t page_index(std::uintptr_t va) { return va >> 12 & 511; }
[[nodiscard]] std::size_t block_index(std::uintptr_t va) { return va >> 21 & 511; }

void published() {
    dsb_ishst();
    isb();
}

// The physical address of a table of ours: through the image's own page table.
[[nodiscard]] PhysAddr physical(const Table& table_of_ours) {
    const auto va = reinterpret_cast<std::uintptr_t>(&table_of_ours);
    return PhysAddr{hyp_l3_image[page_index(va)] & 0xff'ffff'f000};
}

void forget(std::uintptr_t va) {
    dsb_ishst();
    TLBIMVAHIS::write(static_cast<std::uint32_t>(va));
    dsb_ish();
    isb();
}

}  // namespace

void map_own(std::uint64_t offset, PhysAddr pa, std::uint64_t size, Kind kind) {
    for (std::uint64_t done = 0; done < size; done += kPageSize)
        hyp_l3_image[page_index(layout::image + static_cast<std::uintptr_t>(offset + done))] = (pa + done).value | attributes(kind) | page;
    published();
}

void map_device(std::uintptr_t va, PhysAddr pa) {
    hyp_l2_top[block_index(layout::devices)] = physical(hyp_l3_devices).value | table;
    hyp_l3_devices[page_index(va)] = pa.value | attributes(Kind::device) | page;
    published();
}

// Break before make (B3.10.1).
void map_window(std::uintptr_t va, PhysAddr pa, Kind kind) {
    std::uint64_t& entry = hyp_l2_top[block_index(va)];
    const std::uint64_t wanted = pa.value | attributes(kind) | block;
    if (entry == wanted) return;
    if (entry != 0) unmap_window(va);
    entry = wanted;
    published();
}

void unmap_window(std::uintptr_t va) {
    hyp_l2_top[block_index(va)] = 0;
    forget(va);
}

void forget_identity(PhysAddr base) {
    const auto address = static_cast<std::uintptr_t>(base.value);
    const bool in_last_gib = address >> 30 == 3;
    (in_last_gib ? hyp_l2_top : hyp_l2_boot)[block_index(address)] = 0;
    if (!in_last_gib) hyp_l1[address >> 30] = 0;
    dsb_ishst();
    TLBIALLHIS::write(0);
    dsb_ish();
    isb();
}

}  // namespace partita::hyp_map

std::byte* partita::behind_guards(PhysAddr pa, std::size_t each, std::size_t count) {
    std::uintptr_t va = layout::vcpus;
    for (std::size_t n = 0; n < count; ++n) {
        va += kPageSize;
        for (std::size_t done = 0; done < each; done += kPageSize, va += kPageSize, pa = pa + kPageSize)
            hyp_l3_devices[hyp_map::page_index(va)] = pa.value | hyp_map::attributes(hyp_map::Kind::read_write) | hyp_map::page;
    }
    hyp_map::published();
    return reinterpret_cast<std::byte*>(layout::vcpus);
}
