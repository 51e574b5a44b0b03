#include "partition/loader.hpp"

#include <algorithm>
#include <cstring>

#include "machine/window.hpp"
#include "message/serve.hpp"
#include "message/trusted.hpp"
#include "partition/system.hpp"
#include "schedule/cpu.hpp"

namespace partita {

namespace {

using Step = LoadCursor::Step;
constexpr std::uint64_t scrub_chunk = 0x8000;
constexpr std::uint64_t copy_chunk = 0x2000;
constexpr std::uint32_t fdt_nop = 0x0400'0000;  // FDT_NOP, big-endian in memory

// Bytes that one window shows from pa on, at most `wanted`.
std::uint64_t visible(PhysAddr pa, std::uint64_t wanted) { return std::min(wanted, kBlockSize - pa.value % kBlockSize); }

// Where the partition's memory at ipa lies. The image was checked: every copy and patch is inside one region.
PhysAddr memory_at(const Partition& partition, std::uint64_t ipa) {
    for (const auto& region : partition.regions)
        if (IpaRange{Ipa{region.ipa}, region.size}.contains(Ipa{ipa})) return PhysAddr{region.pa + (ipa - region.ipa)};
    return PhysAddr{0};
}

void next_item(LoadCursor& cursor) {
    ++cursor.item;
    cursor.offset = 0;
}

void next_step(LoadCursor& cursor, Step step) { cursor = {step, 0, 0}; }

// Servers let go of the memory before it is touched. The first virtual CPU may have to wait for that, and goes on with the next device.
void release(Partition& partition) {
    LoadCursor& cursor = partition.cursor;
    if (cursor.item == 0) forget_trusted_call(partition);
    if (cursor.item == partition.virtio.size()) return next_step(cursor, Step::scrub);
    const std::uint32_t device = cursor.item;
    next_item(cursor);
    release_device(partition, device);
}

// Memory that is scrubbed and filled in this partition's lives.
[[nodiscard]] bool is_of_its_lives(const partita_region& region) {
    constexpr std::uint32_t others = PARTITA_REGION_DEVICE | PARTITA_REGION_CHANNEL | PARTITA_REGION_SERVED | PARTITA_REGION_KEPT;
    return (region.flags & others) == 0;
}

void scrub(Partition& partition, std::uint32_t cpu) {
    LoadCursor& cursor = partition.cursor;
    if (cursor.item == partition.regions.size()) return next_step(cursor, Step::copy);
    const auto& region = partition.regions[cursor.item];
    if (!is_of_its_lives(region) || cursor.offset == region.size) return next_item(cursor);
    const PhysAddr pa{region.pa + cursor.offset};
    const std::uint64_t size = visible(pa, std::min(scrub_chunk, region.size - cursor.offset));
    std::byte* const memory = window::open(cpu, window::Slot::target, pa);
    window::scrub(memory, static_cast<std::size_t>(size));
    cursor.offset += size;
}

void copy(Partition& partition, std::uint32_t cpu) {
    LoadCursor& cursor = partition.cursor;
    if (cursor.item == partition.copies.size()) return next_step(cursor, Step::patch);
    const auto& part = partition.copies[cursor.item];
    if (cursor.offset == part.size) return next_item(cursor);
    const PhysAddr from{part.source + cursor.offset}, to = memory_at(partition, part.ipa + cursor.offset);
    // Source and target begin at the same place in a word: once at its begin, all but the last is copied by words.
    const std::uint64_t most = to.value % 8 != 0 ? 8 - to.value % 8 : copy_chunk;
    const auto size = static_cast<std::size_t>(visible(to, visible(from, std::min(most, part.size - cursor.offset))));
    const std::byte* const source = window::open(cpu, window::Slot::source, from);
    std::byte* const target = window::open(cpu, window::Slot::target, to);
    std::memcpy(target, source, size);
    window::clean(target, size);
    cursor.offset += size;
}

// A word of the guest's device tree, in its byte order. It is aligned, and so in one window.
void patch_word(const Partition& partition, std::uint32_t cpu, std::uint64_t ipa, std::uint32_t value) {
    std::byte* const memory = window::open(cpu, window::Slot::target, memory_at(partition, ipa));
    value = __builtin_bswap32(value);
    std::memcpy(memory, &value, 4);
    window::clean(memory, 4);
}

void patch(Partition& partition, std::uint32_t cpu) {
    LoadCursor& cursor = partition.cursor;
    if (cursor.item == partition.patches.size()) return next_step(cursor, Step::done);
    const auto& field = partition.patches[cursor.item];
    if (field.kind != PARTITA_PATCH_RANDOM) {
        const bool starts = field.kind == PARTITA_PATCH_STARTS;
        patch_word(partition, cpu, field.ipa,
                   starts ? partition.starts.load(std::memory_order_relaxed)
                          : static_cast<std::uint32_t>(partition.reason.load(std::memory_order_relaxed)));
        return next_item(cursor);
    }
    const bool random = system().entropy.with([](const Entropy& entropy) { return entropy.available(); });
    const std::uint64_t begin = random ? field.ipa : field.ipa - field.nop_before;
    const std::uint32_t size = random ? field.size : field.nop_size;
    for (std::uint32_t done = 0; done < size;) {
        const PhysAddr pa = memory_at(partition, begin + done);
        const auto part = static_cast<std::size_t>(visible(pa, size - done));
        std::byte* const memory = window::open(cpu, window::Slot::target, pa);
        if (random)
            system().entropy.with([&](Entropy& entropy) { entropy.fill({memory, part}); });
        else
            for (std::size_t n = 0; n + 4 <= part; n += 4) std::memcpy(memory + n, &fdt_nop, 4);
        window::clean(memory, part);
        done += static_cast<std::uint32_t>(part);
    }
    next_item(cursor);
}

}  // namespace

bool load_step(Partition& partition) {
    const std::uint32_t cpu = this_cpu().index;
    switch (partition.cursor.step) {
        case Step::release: release(partition); return false;
        case Step::scrub: scrub(partition, cpu); return false;
        case Step::copy: copy(partition, cpu); return false;
        case Step::patch: patch(partition, cpu); return false;
        case Step::done:
            if (!masters_ready(partition)) return false;
            break;
    }
    window::close(cpu, window::Slot::source);
    window::close(cpu, window::Slot::target);
    return true;
}

}  // namespace partita
