#include "partita/guest/virtio/block.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace partita::virtio {

using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

namespace {

constexpr uint64_t feature_seg_max = 1u << 2, feature_read_only = 1u << 5, feature_block_size = 1u << 6, feature_flush = 1u << 9,
                   feature_discard = 1u << 13, feature_write_zeroes = 1u << 14;
constexpr uint32_t used_buffers = 1, configuration_changed = 2;  // of InterruptStatus
constexpr uint32_t queue_entries = 128;
constexpr uint32_t most_at_once = 32;             // requests, until others have their turn
constexpr uint32_t most_ranges = 16;              // of a request to discard or zero
constexpr uint32_t most_cleared = 8u << 20 >> 9;  // sectors of each: what takes no longer than a moment
constexpr uint32_t serial_size = 20;

// §5.2.6.
enum Type : uint32_t { type_in = 0, type_out = 1, type_flush = 4, type_get_id = 8, type_discard = 11, type_write_zeroes = 13 };
constexpr uint8_t status_ok = 0, status_failed = 1, status_unsupported = 2;
struct Header {
    uint32_t type, reserved;
    uint64_t sector;
};
struct Clear {
    uint64_t sector;
    uint32_t sectors, flags;
};
static_assert(sizeof(Header) == 16 && sizeof(Clear) == 16);

[[nodiscard]] uint8_t status_of(Disk::Result result) { return static_cast<uint8_t>(result); }

// §5.2.4, as far as it is filled.
struct Configuration {
    uint64_t capacity;
    uint32_t size_max, seg_max;
    std::array<uint8_t, 4> geometry;
    uint32_t block_size;
    std::array<uint8_t, 12> topology_and_cache;  // topology, writeback, unused, num_queues
    uint32_t max_discard, max_discard_ranges, discard_alignment, max_zeroes, max_zeroes_ranges;
    uint8_t may_unmap;
};
static_assert(offsetof(Configuration, block_size) == 20 && offsetof(Configuration, max_discard) == 36 &&
              offsetof(Configuration, may_unmap) == 56);

}  // namespace

uint64_t Block::features() const {
    const uint64_t changes = shape_.read_only ? feature_read_only : feature_flush | feature_discard | feature_write_zeroes;
    return feature_seg_max | feature_block_size | changes;
}

uint32_t Block::entries(uint32_t queue) const { return queue == 0 ? queue_entries : 0; }

uint8_t Block::configuration(uint32_t offset) const {
    Configuration all{};
    all.capacity = shape_.sectors;
    all.seg_max = queue_entries - 2;  // header and status have one each
    all.block_size = shape_.block_size;
    if (!shape_.read_only) {
        all.max_discard = all.max_zeroes = most_cleared;
        all.max_discard_ranges = all.max_zeroes_ranges = most_ranges;
        all.discard_alignment = shape_.block_size / sector_size;
        all.may_unmap = 1;
    }
    std::array<uint8_t, sizeof all> bytes;
    std::memcpy(bytes.data(), &all, sizeof all);
    return offset < bytes.size() ? bytes[offset] : 0;
}

// What it was notified of before it was ready is looked at then.
void Block::write(uint32_t offset, uint32_t size, uint32_t value) {
    const bool ran = transport_.runs();
    transport_.write(offset, size, value);
    if (!ran && transport_.runs()) notified();
}

void Block::resume() {
    if (!transport_.runs()) return;
    transport_.queue(0).resume();
    notified();
}

void Block::notified() {
    busy_ = false;
    if (!transport_.runs()) return;
    Queue queue = transport_.queue(0);
    uint32_t done = 0;
    for (; done < most_at_once; ++done) {
        const auto head = queue.next();
        if (!head || !collect(queue, *head)) break;
        uint64_t written = 0;
        const uint8_t status = perform(written);
        const Segment &last = request_.parts[request_.count - 1];
        last.at[last.size - 1] = status;
        queue.finish(*head, static_cast<uint32_t>(written + 1));
    }
    busy_ = done == most_at_once;
    conclude();
}

// False: it is no request; the queue is broken then.
bool Block::collect(Queue &queue, uint16_t head) {
    request_.count = request_.first_writable = 0;
    request_.readable = request_.writable = 0;
    const bool good = queue.walk(head, [&](const Segment &segment) {
        if (segment.size == 0) return true;
        request_.parts[request_.count++] = segment;
        (segment.writable ? request_.writable : request_.readable) += segment.size;
        if (!segment.writable) request_.first_writable = request_.count;
        return request_.count < request_.parts.size();
    });
    if (!good) return false;
    if (request_.readable >= sizeof(Header) && request_.writable != 0 && request_.writable < ~0u) return true;
    queue.breaks(Broken::too_small);
    return false;
}

// visit(bytes) for each part of so many bytes from `from` on, of what the device may write or of the rest, until it says something else
// than that all is well.
template <typename Visit>
uint8_t Block::each(bool writable, uint64_t from, uint64_t size, Visit &&visit) const {
    const uint32_t end = writable ? request_.count : request_.first_writable;
    for (uint32_t n = writable ? request_.first_writable : 0; n < end && size != 0; ++n) {
        const Segment &part = request_.parts[n];
        const uint64_t skipped = std::min<uint64_t>(from, part.size), bytes = std::min<uint64_t>(part.size - skipped, size);
        from -= skipped;
        if (bytes == 0) continue;
        if (const uint8_t status = visit(std::span{part.at + skipped, static_cast<std::size_t>(bytes)}); status != status_ok) return status;
        size -= bytes;
    }
    return status_ok;
}

void Block::copy_readable(uint64_t from, std::span<uint8_t> out) const {
    (void)each(false, from, out.size(), [&](std::span<const uint8_t> bytes) {
        std::memcpy(out.data(), bytes.data(), bytes.size());
        out = out.subspan(bytes.size());
        return status_ok;
    });
}

uint8_t Block::perform(uint64_t &written) {
    std::array<uint8_t, sizeof(Header)> bytes{};
    Header header;
    copy_readable(0, bytes);
    std::memcpy(&header, bytes.data(), sizeof header);
    switch (header.type) {
        case type_in: return read_disk(header.sector, written);
        case type_out: return write_disk(header.sector);
        case type_flush: return shape_.read_only ? status_unsupported : status_of(disk_.flush());
        case type_get_id: return tell_serial(written);
        case type_discard: return clear(true);
        case type_write_zeroes: return clear(false);
        default: return status_unsupported;
    }
}

// Of whole sectors, and in the disk; otherwise none.
std::optional<Block::Range> Block::range(uint64_t sector, uint64_t bytes) const {
    if (bytes % sector_size != 0 || sector > shape_.sectors || bytes / sector_size > shape_.sectors - sector) return std::nullopt;
    return Range{sector * sector_size, bytes};
}

uint8_t Block::read_disk(uint64_t sector, uint64_t &written) {
    const auto wanted = range(sector, request_.writable - 1);
    if (!wanted) return status_failed;
    uint64_t at = wanted->at;
    return each(true, 0, wanted->size, [&](std::span<uint8_t> to) {
        const uint8_t status = status_of(disk_.read(at, to));
        at += to.size();
        written += to.size();
        return status;
    });
}

uint8_t Block::write_disk(uint64_t sector) {
    const auto wanted = range(sector, request_.readable - sizeof(Header));
    if (!wanted || shape_.read_only) return status_failed;
    uint64_t at = wanted->at;
    return each(false, sizeof(Header), wanted->size, [&](std::span<const uint8_t> from) {
        const uint8_t status = status_of(disk_.write(at, from));
        at += from.size();
        return status;
    });
}

uint8_t Block::tell_serial(uint64_t &written) {
    std::array<uint8_t, serial_size> text{};
    for (uint32_t n = 0; n < text.size() && shape_.serial[n] != 0; ++n) text[n] = static_cast<uint8_t>(shape_.serial[n]);
    std::span<const uint8_t> rest{text};
    if (request_.writable - 1 < text.size()) return status_failed;
    return each(true, 0, text.size(), [&](std::span<uint8_t> to) {
        std::memcpy(to.data(), rest.data(), to.size());
        rest = rest.subspan(to.size());
        written += to.size();
        return status_ok;
    });
}

// All ranges are looked at before the first is touched.
uint8_t Block::clear(bool discards) {
    constexpr uint32_t flag_unmap = 1;
    const uint64_t size = request_.readable - sizeof(Header), count = size / sizeof(Clear);
    if (shape_.read_only || size % sizeof(Clear) != 0 || count == 0 || count > most_ranges) return status_failed;
    std::array<uint8_t, most_ranges * sizeof(Clear)> bytes{};
    std::array<Clear, most_ranges> ranges;
    copy_readable(sizeof(Header), std::span{bytes}.first(static_cast<std::size_t>(size)));
    std::memcpy(ranges.data(), bytes.data(), bytes.size());
    const auto wanted = std::span{ranges}.first(static_cast<std::size_t>(count));
    for (const Clear &each : wanted) {
        if ((each.flags & ~(discards ? 0 : flag_unmap)) != 0) return status_unsupported;
        if (each.sectors > most_cleared || !range(each.sector, uint64_t{each.sectors} * sector_size)) return status_failed;
    }
    for (const Clear &each : wanted) {
        const uint64_t at = each.sector * sector_size, length = uint64_t{each.sectors} * sector_size;
        const uint8_t status = status_of(discards ? disk_.discard(at, length) : disk_.zero(at, length));
        if (status != status_ok) return status;
    }
    return status_ok;
}

// Tells the driver of all that was finished, or that nothing goes on any more.
void Block::conclude() {
    uint32_t queue = 0;
    if (const Broken why = transport_.find_broken(queue); why != Broken::no) {
        disk_.broken(queue, why);
        return disk_.interrupt(configuration_changed);
    }
    if (transport_.queue(0).must_tell()) disk_.interrupt(used_buffers);
}

}  // namespace partita::virtio
