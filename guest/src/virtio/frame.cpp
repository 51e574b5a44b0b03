#include "partita/guest/virtio/frame.hpp"

#include <algorithm>
#include <cstring>

namespace partita::virtio {

using std::uint16_t;
using std::uint32_t;
using std::uint8_t;

namespace {

// RFC 791, 8200, 9293: offsets in their headers.
constexpr uint32_t ethertype_at = 12, vlan_tag = 4, most_header = 14 + vlan_tag + 60 + 60;
constexpr uint32_t ip4_length = 2, ip4_id = 4, ip4_protocol = 9, ip4_sum = 10, ip4_addresses = 12;
constexpr uint32_t ip6_length = 4, ip6_next = 6, ip6_addresses = 8, ip6_header = 40;
constexpr uint32_t tcp_sequence = 4, tcp_offset = 12, tcp_flags = 13, tcp_sum = 16;
constexpr uint8_t protocol_tcp = 6;
constexpr uint8_t flag_fin = 0x01, flag_push = 0x08, flag_reduced = 0x80;

[[nodiscard]] uint32_t get16(const uint8_t *at) { return uint32_t{at[0]} << 8 | at[1]; }
void put16(uint8_t *at, uint32_t value) { at[0] = static_cast<uint8_t>(value >> 8), at[1] = static_cast<uint8_t>(value); }
[[nodiscard]] uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }
void put32(uint8_t *at, uint32_t value) { put16(at, value >> 16), put16(at + 2, value); }

}  // namespace

// Two bytes at once, whatever the order of bytes: it is that of the sum, too (RFC 1071 §2 B).
uint32_t add_up(std::span<const uint8_t> bytes, uint32_t sum) {
    std::size_t n = 0;
    for (; n + 1 < bytes.size(); n += 2) sum += get16(bytes.data() + n);
    return n < bytes.size() ? sum + (uint32_t{bytes[n]} << 8) : sum;
}

uint16_t fold(uint32_t sum) {
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(~sum);
}

bool is_sound(const Frame &frame) {
    const FrameHeader &header = frame.header;
    if (frame.size < smallest_frame) return false;
    const bool sums = (header.flags & FrameHeader::needs_checksum) != 0;
    if (sums && uint32_t{header.checksum_start} + header.checksum_offset + 2 > frame.size) return false;
    switch (header.gso_type) {
        case FrameHeader::plain: return frame.size <= largest_plain_frame;
        case FrameHeader::tcp4:
        case FrameHeader::tcp6: return sums && header.segment_size != 0 && frame.size <= largest_frame;
        default: return false;
    }
}

void copy(const Frame &frame, uint32_t from, std::span<uint8_t> to) {
    for (const Segment &part : frame.parts) {
        if (to.empty()) return;
        const uint32_t skipped = std::min(from, part.size);
        const auto bytes = std::min<std::size_t>(part.size - skipped, to.size());
        std::memcpy(to.data(), part.at + skipped, bytes);
        from -= skipped;
        to = to.subspan(bytes);
    }
}

FrameAdapter::FrameAdapter(const Frame &frame, Offloads offloads) : frame_(frame), offloads_(offloads), way_(Way::as_it_is) {
    const uint8_t kind = frame.header.gso_type;
    const bool takes_it = kind == FrameHeader::plain || (kind == FrameHeader::tcp4 ? offloads.tcp4 : offloads.tcp6);
    if (!takes_it)
        way_ = find_headers() ? Way::cut : Way::done;
    else if ((frame.header.flags & FrameHeader::needs_checksum) != 0 && !offloads.checksum)
        way_ = kind == FrameHeader::plain ? Way::sum : Way::done;  // who takes what is to be cut, completes its sums (§5.1.3.1)
}

// Its headers are copied before they are looked at. The sender may change them afterwards: where they are, and how long, is what was found
// here.
bool FrameAdapter::find_headers() {
    const uint32_t seen = std::min(frame_.size, most_header);
    copy(frame_, 0, std::span{bytes_}.first(seen));
    const bool tagged = seen >= smallest_frame + vlan_tag && get16(&bytes_[ethertype_at]) == 0x8100;
    const uint32_t type_at = ethertype_at + (tagged ? vlan_tag : 0);
    network_ = type_at + 2;
    if (network_ + ip6_header + 20 > seen) return false;  // so short a frame is none to be cut, of IPv4 neither
    const uint8_t *const ip = &bytes_[network_];
    const bool is_4 = frame_.header.gso_type == FrameHeader::tcp4;
    if (is_4 ? get16(&bytes_[type_at]) != 0x0800 || ip[ip4_protocol] != protocol_tcp || ip[0] >> 4 != 4
             : get16(&bytes_[type_at]) != 0x86dd || ip[ip6_next] != protocol_tcp || ip[0] >> 4 != 6)
        return false;
    transport_ = network_ + (is_4 ? (ip[0] & 0xfu) * 4 : ip6_header);
    if ((is_4 && (ip[0] & 0xfu) < 5) || transport_ + 20 > seen) return false;
    data_ = transport_ + (bytes_[transport_ + tcp_offset] >> 4) * 4u;
    return data_ >= transport_ + 20 && data_ <= seen && data_ < frame_.size && data_ + frame_.header.segment_size <= largest_plain_frame;
}

const Frame *FrameAdapter::next() {
    const Way way = way_;
    if (way == Way::done) return nullptr;
    if (way == Way::cut) {
        make_segment();
        return &made_;
    }
    way_ = Way::done;
    if (way == Way::as_it_is) return &frame_;
    const std::span all = std::span{bytes_}.first(frame_.size);
    copy(frame_, 0, all);
    const uint32_t start = frame_.header.checksum_start;
    const uint16_t sum = fold(add_up(all.subspan(start), 0));
    put16(&all[start + frame_.header.checksum_offset], sum != 0 ? sum : 0xffff);  // to UDP, 0 is no sum (RFC 768)
    part_ = {all.data(), frame_.size, false};
    made_ = {{}, {&part_, 1}, frame_.size};
    return &made_;
}

// The next part of the data behind the headers, which change as if the sender had cut it (RFC 9293; RFC 6864: a new identification each).
void FrameAdapter::make_segment() {
    const uint32_t rest = frame_.size - data_ - at_, bytes = std::min<uint32_t>(rest, frame_.header.segment_size);
    const bool first = at_ == 0, last = bytes == rest;
    copy(frame_, 0, std::span{bytes_}.first(data_));
    copy(frame_, data_ + at_, std::span{bytes_}.subspan(data_, bytes));
    uint8_t *const ip = &bytes_[network_];
    uint8_t *const tcp = &bytes_[transport_];
    const uint32_t size = data_ + bytes;
    put32(tcp + tcp_sequence, get32(tcp + tcp_sequence) + at_);
    if (!last) tcp[tcp_flags] = static_cast<uint8_t>(tcp[tcp_flags] & ~(flag_fin | flag_push));
    if (!first) tcp[tcp_flags] = static_cast<uint8_t>(tcp[tcp_flags] & ~flag_reduced);
    if (frame_.header.gso_type == FrameHeader::tcp4) {
        put16(ip + ip4_length, size - network_);
        put16(ip + ip4_id, get16(ip + ip4_id) + count_);
        put16(ip + ip4_sum, 0);
        put16(ip + ip4_sum, fold(add_up({ip, transport_ - network_}, 0)));
    } else {
        put16(ip + ip6_length, size - network_ - ip6_header);
    }
    sum_segment(size);
    at_ += bytes, ++count_;
    if (last) way_ = Way::done;
}

// TCP's sum, with what stands for IP's header in it; that alone where the receiver does the rest.
void FrameAdapter::sum_segment(uint32_t size) {
    const bool is_4 = frame_.header.gso_type == FrameHeader::tcp4;
    const uint8_t *const ip = &bytes_[network_];
    const std::span<const uint8_t> addresses = is_4 ? std::span{ip + ip4_addresses, 8} : std::span{ip + ip6_addresses, 32};
    const uint32_t pseudo = add_up(addresses, uint32_t{protocol_tcp} + size - transport_);
    uint8_t *const sum = &bytes_[transport_ + tcp_sum];
    put16(sum, 0);
    FrameHeader header{};
    if (offloads_.checksum) {
        put16(sum, static_cast<uint16_t>(~fold(pseudo)));
        header.flags = FrameHeader::needs_checksum;
        header.checksum_start = static_cast<uint16_t>(transport_), header.checksum_offset = tcp_sum;
    } else {
        put16(sum, fold(add_up({&bytes_[transport_], size - transport_}, pseudo)));
    }
    part_ = {bytes_.data(), size, false};
    made_ = {header, {&part_, 1}, size};
}

}  // namespace partita::virtio
