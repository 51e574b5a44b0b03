// Checksums and segments that are left to the server, against sums that are worked out here, byte by byte, by RFC 1071 and RFC 9293.
#include <gtest/gtest.h>

#include "partita/guest/virtio/frame.hpp"
#include "random.hpp"

namespace partita::virtio {
namespace {

using Bytes = std::vector<std::uint8_t>;

void put16(Bytes& bytes, std::size_t at, unsigned value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(value);
}
unsigned get16(const Bytes& bytes, std::size_t at) { return unsigned{bytes[at]} << 8 | bytes[at + 1]; }
std::uint32_t get32(const Bytes& bytes, std::size_t at) { return get16(bytes, at) << 16 | get16(bytes, at + 2); }

// One's complement sum of 16-bit words; a sum that is right makes it 0xffff.
unsigned ones(const Bytes& bytes, std::size_t from, std::size_t to, unsigned start = 0) {
    unsigned long sum = start;
    for (std::size_t n = from; n < to; ++n) sum += (n - from) % 2 == 0 ? unsigned{bytes[n]} << 8 : bytes[n];
    while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
    return static_cast<unsigned>(sum);
}

struct Packet {
    Bytes bytes;
    std::size_t ip, tcp, data;
    bool six;
};

// TCP of so many bytes, as a sender leaves it to others to be cut: its sum has that of the pseudo-header alone.
Packet tcp(bool six, std::size_t size, std::size_t options = 12, bool tagged = false) {
    Packet out{};
    out.six = six;
    out.ip = tagged ? 18 : 14;
    out.tcp = out.ip + (six ? 40 : 20);
    out.data = out.tcp + 20 + options;
    out.bytes.resize(out.data + size);
    Random random{static_cast<std::uint32_t>(size)};
    for (std::uint8_t& byte : out.bytes) byte = static_cast<std::uint8_t>(random());
    if (tagged) put16(out.bytes, 12, 0x8100);
    put16(out.bytes, out.ip - 2, six ? 0x86dd : 0x0800);
    out.bytes[out.ip] = six ? 0x60 : 0x45;
    out.bytes[out.ip + (six ? 6 : 9)] = 6;
    put16(out.bytes, out.ip + (six ? 4 : 2), static_cast<unsigned>(out.bytes.size() - out.ip - (six ? 40 : 0)));
    out.bytes[out.tcp + 12] = static_cast<std::uint8_t>((20 + options) / 4 << 4);
    out.bytes[out.tcp + 13] = 0x99;  // CWR, ACK, PSH, FIN
    return out;
}

FrameHeader header_of(const Packet& packet, unsigned segment) {
    FrameHeader header{};
    header.flags = FrameHeader::needs_checksum;
    header.gso_type = packet.six ? FrameHeader::tcp6 : FrameHeader::tcp4;
    header.segment_size = static_cast<std::uint16_t>(segment);
    header.checksum_start = static_cast<std::uint16_t>(packet.tcp), header.checksum_offset = 16;
    return header;
}

// The bytes in parts of that size.
std::vector<Segment> parts_of(Bytes& bytes, std::size_t piece) {
    std::vector<Segment> out;
    for (std::size_t n = 0; n < bytes.size(); n += piece)
        out.push_back({bytes.data() + n, static_cast<std::uint32_t>(std::min(piece, bytes.size() - n)), false});
    return out;
}

std::vector<std::pair<FrameHeader, Bytes>> adapted(const FrameHeader& header, Bytes bytes, Offloads offloads, std::size_t piece = 1000) {
    const auto parts = parts_of(bytes, piece);
    const Frame frame{header, parts, static_cast<std::uint32_t>(bytes.size())};
    EXPECT_TRUE(is_sound(frame));
    FrameAdapter adapter{frame, offloads};
    std::vector<std::pair<FrameHeader, Bytes>> out;
    while (const Frame* const each = adapter.next()) {
        Bytes copied(each->size);
        copy(*each, 0, copied);
        out.emplace_back(each->header, copied);
    }
    return out;
}

unsigned pseudo(const Packet& packet, const Bytes& bytes) {
    const std::size_t from = packet.ip + (packet.six ? 8 : 12), to = packet.ip + (packet.six ? 40 : 20);
    return ones(bytes, from, to, 6 + static_cast<unsigned>(bytes.size() - packet.tcp));
}

TEST(FrameAdapter, CutsTcpAsItsSenderWould) {
    struct Shape {
        bool six, tagged;
        std::size_t size, options;
        unsigned segment;
    };
    for (const Shape& shape : {Shape{false, false, 4000, 12, 1448},
                               {false, true, 2896, 12, 1448},
                               {true, false, 65000, 0, 1428},
                               {false, false, 1449, 40, 1420},
                               {true, true, 100, 20, 7},
                               {false, false, 700, 12, 1448}})
        for (const bool sums : {false, true}) {
            SCOPED_TRACE(shape.size);
            const Packet packet = tcp(shape.six, shape.size, shape.options, shape.tagged);
            const auto all = adapted(header_of(packet, shape.segment), packet.bytes, {.checksum = sums}, sums ? 100 : 1000);
            ASSERT_EQ(all.size(), (shape.size + shape.segment - 1) / shape.segment);
            Bytes data;
            for (std::size_t n = 0; n < all.size(); ++n) {
                const auto& [header, bytes] = all[n];
                const bool last = n + 1 == all.size();
                EXPECT_LE(bytes.size(), largest_plain_frame);
                EXPECT_EQ(header.gso_type, FrameHeader::plain);
                EXPECT_TRUE(std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(packet.ip), packet.bytes.begin()));
                EXPECT_EQ(get32(bytes, packet.tcp + 4), get32(packet.bytes, packet.tcp + 4) + data.size());
                EXPECT_EQ(bytes[packet.tcp + 13], (n == 0 ? 0x80 : 0) | 0x10 | (last ? 0x09 : 0));
                if (shape.six) {
                    EXPECT_EQ(get16(bytes, packet.ip + 4), bytes.size() - packet.ip - 40);
                } else {
                    EXPECT_EQ(get16(bytes, packet.ip + 2), bytes.size() - packet.ip);
                    EXPECT_EQ(get16(bytes, packet.ip + 4), (get16(packet.bytes, packet.ip + 4) + n) & 0xffff);
                    EXPECT_EQ(ones(bytes, packet.ip, packet.tcp), 0xffffu) << "IP's sum";
                }
                if (sums) {
                    EXPECT_EQ(header.flags, FrameHeader::needs_checksum);
                    EXPECT_EQ(header.checksum_start, packet.tcp);
                    EXPECT_EQ(get16(bytes, packet.tcp + 16), pseudo(packet, bytes)) << "the receiver does the rest";
                } else {
                    EXPECT_EQ(header.flags, 0u);
                    EXPECT_EQ(ones(bytes, packet.tcp, bytes.size(), pseudo(packet, bytes)), 0xffffu) << "TCP's sum";
                }
                data.insert(data.end(), bytes.begin() + static_cast<std::ptrdiff_t>(packet.data), bytes.end());
            }
            EXPECT_EQ(data, Bytes(packet.bytes.begin() + static_cast<std::ptrdiff_t>(packet.data), packet.bytes.end()));
        }
}

TEST(FrameAdapter, WhatTheReceiverTakesStaysAsItIs) {
    const Packet packet = tcp(false, 4000);
    const FrameHeader header = header_of(packet, 1448);
    const auto all = adapted(header, packet.bytes, {.checksum = true, .tcp4 = true});
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].second, packet.bytes);
    EXPECT_EQ(std::memcmp(&all[0].first, &header, sizeof header), 0);
    EXPECT_EQ(adapted(header, packet.bytes, {.checksum = true, .tcp6 = true}).size(), 3u) << "it takes the other kind";
}

TEST(FrameAdapter, CompletesSums) {
    for (const std::size_t size : {60u, 61u, 1514u}) {
        Bytes bytes(size);
        Random random{static_cast<std::uint32_t>(size)};
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
        FrameHeader header{};
        header.flags = FrameHeader::needs_checksum;
        header.checksum_start = 34, header.checksum_offset = 6;
        put16(bytes, 40, 0x1234);
        const auto all = adapted(header, bytes, {}, 13);
        ASSERT_EQ(all.size(), 1u);
        EXPECT_EQ(all[0].first.flags, 0u);
        EXPECT_EQ(get16(all[0].second, 40), 0xffff & ~ones(bytes, 34, size)) << "what was there counts";
        EXPECT_EQ(adapted(header, bytes, {.checksum = true})[0].second, bytes);
    }
    Bytes zero(60);
    FrameHeader header{};
    header.flags = FrameHeader::needs_checksum;
    header.checksum_start = 34, header.checksum_offset = 6;
    put16(zero, 50, 0xffff);
    EXPECT_EQ(get16(adapted(header, zero, {})[0].second, 40), 0xffffu) << "0 would say that there is none";
}

TEST(FrameAdapter, WhatIsNoFrameIsNone) {
    const Packet packet = tcp(false, 4000);
    const auto sound = [&](auto change, std::uint32_t size = 4066) {
        FrameHeader header = header_of(packet, 1448);
        change(header);
        return is_sound({header, {}, size});
    };
    EXPECT_TRUE(sound([](FrameHeader&) {}));
    EXPECT_FALSE(sound([](FrameHeader& h) { h.gso_type = 0; })) << "too long for one that is not cut";
    EXPECT_TRUE(sound([](FrameHeader& h) { h.gso_type = 0; }, 1518));
    EXPECT_FALSE(sound([](FrameHeader& h) { h.gso_type = 3; })) << "UDP, which was not offered";
    EXPECT_FALSE(sound([](FrameHeader& h) { h.gso_type |= 0x80; })) << "ECN, neither";
    EXPECT_FALSE(sound([](FrameHeader& h) { h.segment_size = 0; }));
    EXPECT_FALSE(sound([](FrameHeader& h) { h.flags = 0; }));
    EXPECT_FALSE(sound([](FrameHeader& h) { h.checksum_start = 4065; }));
    EXPECT_FALSE(sound([](FrameHeader& h) { h.checksum_offset = 0xffff; }));
    EXPECT_FALSE(sound([](FrameHeader&) {}, 13));
    EXPECT_FALSE(sound([](FrameHeader&) {}, largest_frame + 1));
    struct Change {
        std::size_t at;
        std::uint8_t value;
    };
    for (const Change& change : {Change{12, 0x86}, {14, 0x65}, {14, 0x44}, {23, 17}, {packet.tcp + 12, 0x40}, {packet.tcp + 12, 0xf0}}) {
        Bytes bytes = packet.bytes;
        bytes[change.at] = change.value;
        const auto all = adapted(header_of(packet, 1448), bytes, {});
        EXPECT_TRUE(all.empty()) << change.at;
    }
    EXPECT_TRUE(adapted(header_of(packet, 1500), packet.bytes, {}).empty()) << "segments that are no frames";
}

}  // namespace
}  // namespace partita::virtio
