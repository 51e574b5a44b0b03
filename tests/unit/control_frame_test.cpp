// Frames of the control channel: what is put together is taken apart again, and nothing else is.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "partita/frame.hpp"
#include "random.hpp"

namespace partita {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Header and `body`; empty when it is too long.
[[nodiscard]] Bytes frame_of(const Bytes& body, std::uint8_t kind = 3, std::uint16_t sequence = 0x1234) {
    control::Writer writer;
    writer.header(kind, sequence).put(body);
    Bytes out;
    const bool whole = writer.finish([&](std::uint8_t byte) { out.push_back(byte); });
    return whole ? out : Bytes{};
}

// What is taken apart of these bytes, frame by frame, without headers.
[[nodiscard]] std::vector<Bytes> read(control::Reader& reader, const Bytes& bytes) {
    std::vector<Bytes> out;
    for (const std::uint8_t byte : bytes)
        if (const auto frame = reader.feed(byte)) out.emplace_back(frame->begin() + sizeof(partita_control_header), frame->end());
    return out;
}

TEST(ControlFrame, ChecksumIsTheStandards) {
    const std::string text = "123456789";  // the check value of CRC-32/ISO-HDLC
    EXPECT_EQ(control::crc32(std::span{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}), 0xcbf4'3926u);
}

TEST(ControlFrame, EveryLengthComesBackWhatever) {
    Random random{1};
    for (std::size_t size = 0; size + sizeof(partita_control_header) + control::checksum_size <= PARTITA_CONTROL_LONGEST; ++size)
        for (const unsigned zeros : {0u, 1u, 2u, 50u}) {  // of so many bytes one is zero; 0: none, 1: all
            Bytes body(size);
            for (std::uint8_t& byte : body) byte = zeros != 0 && random() % zeros == 0 ? 0 : static_cast<std::uint8_t>(1 + random() % 255);
            const Bytes frame = frame_of(body);
            ASSERT_FALSE(frame.empty()) << size;
            ASSERT_EQ(std::count(frame.begin(), frame.end(), 0), 1) << "the end alone is zero";
            ASSERT_LE(frame.size(), control::longest_stuffed + 1);
            control::Reader reader;
            ASSERT_EQ(read(reader, frame), std::vector<Bytes>{body}) << size;
        }
}

TEST(ControlFrame, TheHeaderIsAsItWasPut) {
    control::Reader reader;
    for (const std::uint8_t byte : frame_of({7}, 0x85, 0xfe01))
        if (const auto frame = reader.feed(byte))
            EXPECT_EQ(Bytes(frame->begin(), frame->end()), (Bytes{PARTITA_CONTROL_VERSION, 0x85, 0x01, 0xfe, 7}));
}

TEST(ControlFrame, WhatIsTooLongIsNotPutTogether) { EXPECT_TRUE(frame_of(Bytes(PARTITA_CONTROL_LONGEST)).empty()); }

TEST(ControlFrame, ABitThatFlipsIsSeen) {
    const Bytes body{1, 0, 2, 0, 0, 3, 255}, good = frame_of(body);
    for (std::size_t at = 0; at + 1 < good.size(); ++at)
        for (unsigned bit = 0; bit < 8; ++bit) {
            Bytes bad = good;
            bad[at] = static_cast<std::uint8_t>(bad[at] ^ 1u << bit);
            control::Reader reader;
            EXPECT_TRUE(read(reader, bad).empty()) << at << " " << bit;
            EXPECT_GE(reader.refused(), 1u);
            EXPECT_EQ(read(reader, good), std::vector<Bytes>{body}) << "the next one is found";
        }
}

TEST(ControlFrame, OneThatIsCutIsLostAlone) {
    const Bytes body(300, 9), good = frame_of(body);
    for (std::size_t length = 0; length < good.size(); ++length) {
        control::Reader reader;
        Bytes bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
        bytes.push_back(0);
        bytes.insert(bytes.end(), good.begin(), good.end());
        const auto frames = read(reader, bytes);
        ASSERT_FALSE(frames.empty()) << length;
        EXPECT_EQ(frames.back(), body);
        EXPECT_EQ(frames.size() + reader.refused(), length == 0 ? 1u : 2u);
    }
}

TEST(ControlFrame, WhatNeverEndsIsNotKept) {
    control::Reader reader;
    EXPECT_TRUE(read(reader, Bytes(100'000, 1)).empty());
    EXPECT_TRUE(read(reader, {0}).empty());
    EXPECT_EQ(reader.refused(), 1u);
    EXPECT_EQ(read(reader, frame_of({5})), std::vector<Bytes>{Bytes{5}});
}

TEST(ControlFrame, ZeroesAloneAreNoMistake) {
    control::Reader reader;
    EXPECT_TRUE(read(reader, Bytes(10, 0)).empty());
    EXPECT_EQ(reader.refused(), 0u);
}

}  // namespace
}  // namespace partita
