#include "partita/guest/virtio/network.hpp"

#include <algorithm>
#include <cstring>

namespace partita::virtio {

using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

namespace {

constexpr uint64_t feature_checksum = 1u << 0, feature_guest_checksum = 1u << 1, feature_mtu = 1u << 3, feature_mac = 1u << 5,
                   feature_guest_tcp4 = 1u << 7, feature_guest_tcp6 = 1u << 8, feature_host_tcp4 = 1u << 11, feature_host_tcp6 = 1u << 12,
                   feature_merge = 1u << 15, feature_status = 1u << 16;
constexpr uint32_t most_at_once = 32;  // frames, until others have their turn

// §5.1.4.
struct Configuration {
    MacAddress mac;
    uint16_t status, queue_pairs, mtu;
};
constexpr uint16_t link_is_up = 1, mtu = 1500;
static_assert(sizeof(Configuration) == 12);

}  // namespace

uint64_t Network::features() const {
    return feature_checksum | feature_guest_checksum | feature_mtu | feature_mac | feature_guest_tcp4 | feature_guest_tcp6 |
           feature_host_tcp4 | feature_host_tcp6 | feature_merge | feature_status;
}

uint8_t Network::configuration(uint32_t offset) const {
    const Configuration all{.mac = mac_, .status = link_is_up, .queue_pairs = 1, .mtu = mtu};
    std::array<uint8_t, sizeof all> bytes;
    std::memcpy(bytes.data(), &all, sizeof all);
    return offset < bytes.size() ? bytes[offset] : 0;
}

bool Network::merges() const { return transport_.has(feature_merge); }

Offloads Network::offloads() const {
    const bool sums = transport_.has(feature_guest_checksum);  // without it the others say nothing (§5.1.3.1)
    return {sums, sums && transport_.has(feature_guest_tcp4), sums && transport_.has(feature_guest_tcp6)};
}

// What it was notified of before it was ready is looked at then.
void Network::write(uint32_t offset, uint32_t size, uint32_t value) {
    const bool ran = transport_.runs();
    transport_.write(offset, size, value);
    if (!ran && transport_.runs()) notified();
}

void Network::resume() {
    if (!transport_.runs()) return;
    for (const uint32_t queue : {from_outside, from_driver}) transport_.queue(queue).resume();
    notified();
}

void Network::notified() {
    busy_ = waits_ = false;
    if (!transport_.runs()) return;
    Queue queue = transport_.queue(from_driver);
    uint32_t sent = 0;
    for (; sent < most_at_once; ++sent) {
        const auto head = queue.next();
        if (!head) break;
        Frame frame{};
        const auto sound = collect(queue, *head, frame);
        if (!sound) break;
        if (!*sound) link_.malformed();
        waits_ = *sound && link_.send(frame) == NetworkLink::Sent::wait;
        if (waits_) break;
        queue.take(*head);
        queue.finish(*head, 0);
    }
    busy_ = sent == most_at_once;
    conclude();
}

// None: the queue is broken. False: it is no frame.
std::optional<bool> Network::collect(Queue &queue, uint16_t head, Frame &frame) {
    uint32_t count = 1;  // behind the front
    uint64_t size = 0;
    bool all = true;
    const bool good = queue.walk(head, [&](const Segment &segment) {
        if (segment.size == 0 || segment.writable) return true;
        all = count < parts_.size();
        if (all) parts_[count++] = segment;
        size += segment.size;
        return all;
    });
    if (!good) return std::nullopt;
    const uint32_t in_front = header_size();
    if (!all || size < in_front + smallest_frame || size > in_front + largest_frame) return false;
    take_front({{}, std::span{parts_}.subspan(1, count - 1), static_cast<uint32_t>(size)}, frame);
    return is_sound(frame) && agreed(frame.header);
}

// Copies the header and the frame's addresses: by them others decide, and the driver cannot change them any more. The rest stays where it
// is.
void Network::take_front(const Frame &all, Frame &frame) {
    const uint32_t in_front = header_size();
    std::array<uint8_t, sizeof(FrameHeader)> bytes{};
    copy(all, 0, std::span{bytes}.first(in_front));
    copy(all, in_front, front_);
    std::memcpy(&frame.header, bytes.data(), bytes.size());
    frame.header.buffers = 0;
    uint32_t skipped = in_front + smallest_frame, first = 0;
    for (; first < all.parts.size() && all.parts[first].size <= skipped; ++first) skipped -= all.parts[first].size;
    if (first < all.parts.size()) parts_[1 + first].at += skipped, parts_[1 + first].size -= skipped;
    parts_[first] = {front_.data(), smallest_frame, false};
    frame.parts = std::span{parts_}.subspan(first, all.parts.size() + 1 - first);
    frame.size = all.size - in_front;
}

// A checksum, or a frame that is to be cut, is left to others by whom that was agreed.
bool Network::agreed(const FrameHeader &header) const {
    if (header.gso_type == FrameHeader::tcp4 && !transport_.has(feature_host_tcp4)) return false;
    if (header.gso_type == FrameHeader::tcp6 && !transport_.has(feature_host_tcp6)) return false;
    return (header.flags & FrameHeader::needs_checksum) == 0 || transport_.has(feature_checksum);
}

bool Network::deliver(const Frame &frame) {
    if (!transport_.runs()) return false;
    FrameAdapter adapter{frame, offloads()};
    bool all = true;
    while (const Frame *const each = adapter.next())
        if (all) all = put(*each);  // of what was cut: the rest is worth nothing
    return all;
}

// Into one buffer, or into as many as it takes: all of them, or none.
bool Network::put(const Frame &frame) {
    Queue queue = transport_.queue(from_outside);
    std::array<Queue::Finished, most_buffers> used;
    const uint32_t most = merges() ? most_buffers : 1;
    uint32_t count = 0, at = 0;
    const uint32_t size = header_size() + frame.size;
    while (at < size && count < most) {
        const auto head = queue.next(Queue::Notify::no);
        if (!head || !fill(queue, *head, frame, at, used[count].written)) break;
        queue.take(*head);
        used[count++].head = *head;
    }
    if (at < size || (count > 1 && !tell_count(queue, used[0].head, count))) {
        for (uint32_t n = 0; n < count; ++n) queue.put_back(used[n].head);
        return false;
    }
    queue.finish(std::span{used}.first(count));
    return true;
}

// Of the header and the frame behind it, from `at` on, as much as a chain holds. False: the queue is broken.
bool Network::fill(Queue &queue, uint16_t head, const Frame &frame, uint32_t &at, uint32_t &written) const {
    FrameHeader header = frame.header;
    header.buffers = 1;
    std::array<uint8_t, sizeof header> bytes;
    std::memcpy(bytes.data(), &header, sizeof header);
    const uint32_t before = at, in_front = header_size(), size = in_front + frame.size;
    const bool good = queue.walk(head, [&](const Segment &segment) {
        uint32_t filled = 0;
        if (!segment.writable) return true;
        for (; at < in_front && filled < segment.size; ++at) segment.at[filled++] = bytes[at];
        const uint32_t rest = std::min(segment.size - filled, size - at);
        copy(frame, at - in_front, {segment.at + filled, rest});
        at += rest;
        return at < size;
    });
    written = at - before;
    return good;
}

// Into the header, which was put into the chain before.
bool Network::tell_count(Queue &queue, uint16_t head, uint32_t count) {
    const std::array<uint8_t, 2> bytes{static_cast<uint8_t>(count), static_cast<uint8_t>(count >> 8)};
    uint32_t at = 0;
    constexpr uint32_t where = sizeof(FrameHeader) - sizeof bytes;
    return queue.walk(head, [&](const Segment &segment) {
        for (uint32_t n = 0; segment.writable && n < segment.size && at < where + bytes.size(); ++n, ++at)
            if (at >= where) segment.at[n] = bytes[at - where];
        return at < where + bytes.size();
    });
}

void Network::conclude() {
    const auto broken = [this](uint32_t queue, Broken why) { link_.broken(queue, why); };
    if (const uint32_t bits = transport_.conclude(broken); bits != 0) link_.interrupt(bits);
}

}  // namespace partita::virtio
