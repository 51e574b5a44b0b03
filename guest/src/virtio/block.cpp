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
constexpr uint32_t most_at_once = 32;  // requests, until others have their turn
constexpr uint32_t serial_size = 20;

// §5.2.6.
enum Type : uint32_t { type_in = 0, type_out = 1, type_flush = 4, type_get_id = 8, type_discard = 11, type_write_zeroes = 13 };
struct Header {
    uint32_t type, reserved;
    uint64_t sector;
};
struct Clear {
    uint64_t sector;
    uint32_t sectors, flags;
};
static_assert(sizeof(Header) == 16 && sizeof(Clear) == 16);

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
    const uint64_t changes = feature_flush | (shape_.no_discards ? 0 : feature_discard) | (shape_.no_zeroes ? 0 : feature_write_zeroes);
    return feature_seg_max | (shape_.block_size != 0 ? feature_block_size : 0) | (shape_.read_only ? feature_read_only : changes);
}

uint8_t Block::configuration(uint32_t offset) const {
    Configuration all{};
    all.capacity = shape_.sectors;
    all.seg_max = most_block_requests - 2;  // header and status have one each
    all.block_size = shape_.block_size;
    if (!shape_.read_only && !shape_.no_discards) {
        all.max_discard = most_cleared_sectors, all.max_discard_ranges = 1;
        all.discard_alignment = std::max<uint32_t>(shape_.block_size / sector_size, 1);
    }
    if (!shape_.read_only && !shape_.no_zeroes) all.max_zeroes = most_cleared_sectors, all.max_zeroes_ranges = 1, all.may_unmap = 1;
    std::array<uint8_t, sizeof all> bytes;
    std::memcpy(bytes.data(), &all, sizeof all);
    return offset < bytes.size() ? bytes[offset] : 0;
}

// What it was notified of before it was ready is looked at then.
void Block::write(uint32_t offset, uint32_t size, uint32_t value) {
    const bool ran = transport_.runs();
    transport_.write(offset, size, value);
    stopped_ = false;
    if (!ran && transport_.runs()) notified();
}

void Block::resume() {
    if (!transport_.runs()) return;
    transport_.queue(0).resume();
    notified();
}

void Block::notified() {
    busy_ = waits_ = false;
    if (!transport_.runs() || stopped_) return;
    Queue queue = transport_.queue(0);
    uint32_t begun = 0;
    for (; begun < most_at_once; ++begun) {
        const auto head = queue.next();
        if (!head || !collect(queue, *head)) break;
        const Segment &last = request_.parts[request_.count - 1];
        uint8_t *const status = last.at + last.size - 1;
        const Outcome outcome = perform(*head);
        waits_ = outcome.result == Disk::Result::full;
        if (waits_) break;
        queue.take(*head);
        all_[*head] = {status, outcome.written};
        ++under_way_;
        if (outcome.result != Disk::Result::later) finished(*head, outcome.result);
    }
    busy_ = begun == most_at_once;
    conclude();
}

// Of a request that failed nothing is said to have been written (§5.2.6).
void Block::finished(uint32_t tag, Disk::Result result) {
    const UnderWay &request = all_[tag];
    *request.status = static_cast<uint8_t>(result);
    --under_way_;
    transport_.queue(0).finish(static_cast<uint16_t>(tag), (result == Disk::Result::ok ? request.written : 0) + 1);
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

// The parts that are so many bytes from `from` on, of what the device may write or of the rest. Those beside them are gone then.
std::span<const Segment> Block::cut(bool writable, uint64_t from, uint64_t size) {
    uint32_t first = writable ? request_.first_writable : 0;
    for (; from != 0 && from >= request_.parts[first].size; ++first) from -= request_.parts[first].size;
    request_.parts[first].at += from;
    request_.parts[first].size -= static_cast<uint32_t>(from);
    uint32_t end = first;
    for (; size != 0; ++end) {
        Segment &part = request_.parts[end];
        part.size = static_cast<uint32_t>(std::min<uint64_t>(part.size, size));
        size -= part.size;
    }
    return std::span{request_.parts}.subspan(first, end - first);
}

void Block::copy_readable(uint64_t from, std::span<uint8_t> out) const {
    for (uint32_t n = 0; n < request_.first_writable && !out.empty(); ++n) {
        const Segment &part = request_.parts[n];
        const uint64_t skipped = std::min<uint64_t>(from, part.size);
        const auto bytes = static_cast<std::size_t>(std::min<uint64_t>(part.size - skipped, out.size()));
        std::memcpy(out.data(), part.at + skipped, bytes);
        from -= skipped;
        out = out.subspan(bytes);
    }
}

Block::Outcome Block::perform(uint16_t head) {
    std::array<uint8_t, sizeof(Header)> bytes{};
    Header header;
    copy_readable(0, bytes);
    std::memcpy(&header, bytes.data(), sizeof header);
    switch (header.type) {
        case type_in: return transfer(Disk::Action::read, header.sector, head);
        case type_out: return transfer(Disk::Action::write, header.sector, head);
        case type_flush:
            if (shape_.read_only) break;
            return {disk_.begin({.action = Disk::Action::flush, .at = 0, .size = 0, .parts = {}, .tag = head})};
        case type_get_id: return tell_serial();
        case type_discard: return clear(true, head);
        case type_write_zeroes: return clear(false, head);
        default: break;
    }
    return {Disk::Result::unsupported};
}

// Whole sectors, all of them in the disk.
bool Block::inside(uint64_t sector, uint64_t bytes) const {
    return bytes % sector_size == 0 && sector <= shape_.sectors && bytes / sector_size <= shape_.sectors - sector;
}

Block::Outcome Block::transfer(Disk::Action action, uint64_t sector, uint16_t head) {
    const bool reads = action == Disk::Action::read;
    const uint64_t size = reads ? request_.writable - 1 : request_.readable - sizeof(Header);
    if (!inside(sector, size) || (!reads && shape_.read_only)) return {Disk::Result::failed};
    if (size == 0) return {Disk::Result::ok};
    const auto parts = cut(reads, reads ? 0 : sizeof(Header), size);
    return {disk_.begin({.action = action, .at = sector * sector_size, .size = size, .parts = parts, .tag = head}),
            reads ? static_cast<uint32_t>(size) : 0};
}

Block::Outcome Block::tell_serial() {
    std::array<uint8_t, serial_size> text{};
    for (uint32_t n = 0; shape_.serial != nullptr && n < text.size() && shape_.serial[n] != 0; ++n)
        text[n] = static_cast<uint8_t>(shape_.serial[n]);
    if (request_.writable - 1 < text.size()) return {Disk::Result::failed};
    std::span<const uint8_t> rest{text};
    for (const Segment &part : cut(true, 0, text.size())) {
        std::memcpy(part.at, rest.data(), part.size);
        rest = rest.subspan(part.size);
    }
    return {Disk::Result::ok, static_cast<uint32_t>(text.size())};
}

Block::Outcome Block::clear(bool discards, uint16_t head) {
    constexpr uint32_t flag_unmap = 1;
    std::array<uint8_t, sizeof(Clear)> bytes{};
    Clear what;
    if (shape_.read_only || request_.readable - sizeof(Header) != sizeof what) return {Disk::Result::failed};
    if (discards ? shape_.no_discards : shape_.no_zeroes) return {Disk::Result::unsupported};
    copy_readable(sizeof(Header), bytes);
    std::memcpy(&what, bytes.data(), sizeof what);
    if ((what.flags & ~(discards ? 0 : flag_unmap)) != 0) return {Disk::Result::unsupported};
    const uint64_t size = uint64_t{what.sectors} * sector_size;
    if (what.sectors > most_cleared_sectors || !inside(what.sector, size)) return {Disk::Result::failed};
    const Disk::Action action = discards ? Disk::Action::discard : Disk::Action::zero;
    return {disk_.begin({.action = action, .at = what.sector * sector_size, .size = size, .parts = {}, .tag = head})};
}

void Block::conclude() {
    const auto broken = [this](uint32_t queue, Broken why) { disk_.broken(queue, why); };
    if (const uint32_t bits = transport_.conclude(broken); bits != 0) disk_.interrupt(bits);
}

}  // namespace partita::virtio
