// The SDK's ring: every message once, whole and in order; lives that come and go; and a peer that lies.
#include "partita/guest/ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "random.hpp"

namespace partita {
namespace {

struct Pair {
    explicit Pair(std::uint32_t a_size = 256, std::uint32_t b_size = 192) : a_part(a_size / 4), b_part(b_size / 4) {}
    void open_a() { ring_open(&a, a_part.data(), size_of(a_part), b_part.data(), size_of(b_part)); }
    void open_b() { ring_open(&b, b_part.data(), size_of(b_part), a_part.data(), size_of(a_part)); }
    static std::uint32_t size_of(const std::vector<std::uint32_t>& part) { return static_cast<std::uint32_t>(part.size() * 4); }

    std::vector<std::uint32_t> a_part, b_part;
    ring a{}, b{};
};

int send(ring& by, const std::string& text) { return ring_send(&by, text.data(), static_cast<std::uint32_t>(text.size())); }

std::string receive(ring& by) {
    char text[256];
    std::uint32_t size = 0;
    const int result = ring_receive(&by, text, sizeof text, &size);
    return result >= 0 ? std::string{text, size} : "nothing " + std::to_string(result);
}

const std::string nothing = "nothing " + std::to_string(RING_EMPTY), broken = "nothing " + std::to_string(RING_BROKEN);

struct Ring : testing::Test {
    Ring() { pair.open_a(), pair.open_b(); }
    Pair pair;
};

TEST_F(Ring, PassesMessagesBothWays) {
    EXPECT_EQ(send(pair.a, "one"), 0);
    EXPECT_EQ(send(pair.a, "second"), 0);
    EXPECT_EQ(send(pair.b, "back"), 0);
    EXPECT_EQ(receive(pair.b), "one");
    EXPECT_EQ(receive(pair.b), "second");
    EXPECT_EQ(receive(pair.b), nothing);
    EXPECT_EQ(receive(pair.a), "back");
}

TEST_F(Ring, SaysWhatDoesNotFit) {
    EXPECT_EQ(send(pair.a, ""), RING_LENGTH);
    EXPECT_EQ(send(pair.a, std::string(189, 'x')), RING_LENGTH);
    EXPECT_EQ(send(pair.a, std::string(188, 'x')), 0);
    EXPECT_EQ(send(pair.a, "y"), RING_FULL);
    char small[16];
    std::uint32_t size = 0;
    EXPECT_EQ(ring_receive(&pair.b, small, sizeof small, &size), RING_LENGTH);
    EXPECT_EQ(size, 188u);
    EXPECT_EQ(receive(pair.b), std::string(188, 'x')) << "it stayed";
}

TEST_F(Ring, AsksToBeRungOnlyWhenItWaits) {
    EXPECT_EQ(send(pair.a, "1"), 0);
    EXPECT_EQ(receive(pair.b), "1");
    EXPECT_EQ(receive(pair.b), nothing);
    EXPECT_EQ(send(pair.a, "2"), RING_TELL);
    EXPECT_EQ(receive(pair.b), "2");
    EXPECT_EQ(send(pair.a, "3"), 0) << "it has come, and looks again by itself";
    while (send(pair.a, "fill") == 0) {
    }
    char text[16];
    std::uint32_t size = 0;
    EXPECT_EQ(ring_receive(&pair.b, text, sizeof text, &size), RING_TELL) << "the sender waits for room";
    EXPECT_EQ(send(pair.a, "z"), 0);
    EXPECT_EQ(ring_receive(&pair.b, text, sizeof text, &size), 0);
}

TEST(RingLife, NobodyListensYet) {
    Pair pair;
    pair.open_a();
    EXPECT_EQ(send(pair.a, "x"), RING_NOBODY);
    pair.open_b();
    EXPECT_EQ(send(pair.a, "x"), 0);
    EXPECT_EQ(receive(pair.b), "x");
}

TEST_F(Ring, WhatWasSentToAnEarlierLifeIsPassedOver) {
    EXPECT_EQ(send(pair.a, "old"), 0);
    pair.open_b();
    EXPECT_EQ(receive(pair.b), nothing);
    EXPECT_EQ(send(pair.a, "new"), RING_TELL);
    EXPECT_EQ(receive(pair.b), "new");
}

TEST_F(Ring, ASenderBeginsAnew) {
    EXPECT_EQ(send(pair.a, "read"), 0);
    EXPECT_EQ(receive(pair.b), "read");
    EXPECT_EQ(send(pair.a, "lost with its life"), 0);
    pair.open_a();
    EXPECT_EQ(send(pair.a, std::string(180, 'n')), 0) << "what the other took of the earlier life takes no room";
    EXPECT_EQ(receive(pair.b), std::string(180, 'n'));
    EXPECT_EQ(receive(pair.b), nothing);
}

// A life that ends while it opens: the next one must not have a number that was one's before.
TEST_F(Ring, AnOpeningThatIsCutShortIsNoNumberTwice) {
    const std::uint32_t before = pair.a.epoch;
    pair.a_part[1] = 0;  // epoch, as ring_open() begins
    pair.open_a();
    EXPECT_NE(pair.a.epoch, before);
}

// Everything that a peer can write into its header, as it stands or after a message: the answer is RING_BROKEN or a message that fits.
TEST_F(Ring, APeerThatLiesIsFound) {
    constexpr std::uint32_t epoch = 1, head = 2, synced = 3, tail = 4;
    ASSERT_EQ(send(pair.a, "true"), 0);
    for (const std::uint32_t lie : {1u, 2u, 3u, 384u, 388u, 0x8000'0000u, ~0u}) {
        pair.a_part[head] = lie;
        EXPECT_EQ(receive(pair.b), broken) << lie;
    }
    pair.a_part[head] = 383 / 4 * 4;
    EXPECT_EQ(receive(pair.b), broken) << "more than there is room for";
    pair.a_part[head] = 8;
    for (const std::uint32_t length : {0u, 5u, 189u, 0x7fff'fffcu, ~0u}) {
        pair.a_part[RING_HEADER / 4] = length;
        EXPECT_EQ(receive(pair.b), broken) << length;
    }
    EXPECT_EQ(pair.b_part[synced], pair.a_part[epoch]);
    for (const std::uint32_t lie : {1u, 12u, 384u, ~0u}) {
        pair.b_part[tail] = lie;
        EXPECT_EQ(send(pair.a, "x"), RING_BROKEN) << lie;
    }
    pair.open_a(), pair.open_b();
    EXPECT_EQ(send(pair.a, "again"), 0);
    EXPECT_EQ(receive(pair.b), "again");
}

// Two CPUs, each its own speed: numbers in messages of any length.
TEST(RingThreads, EveryMessageOnceWholeAndInOrder) {
    constexpr std::uint32_t count = 200'000;
    Pair pair{512, 128};
    pair.open_a(), pair.open_b();
    std::thread sender{[&] {
        Random random{1};
        std::uint8_t bytes[64 + 4];
        for (std::uint32_t n = 0; n < count;) {
            std::uint8_t* const message = bytes + n % 4;
            const std::uint32_t size = 4 + random.below(61);
            std::memset(message, static_cast<int>(n & 0xffu), 64);
            std::memcpy(message, &n, 4);
            if (ring_send(&pair.a, message, size) >= 0)
                ++n;
            else
                std::this_thread::yield();
        }
    }};
    std::uint32_t wrong = 0;
    for (std::uint32_t n = 0; n < count;) {
        std::uint8_t bytes[64 + 4];
        std::uint8_t* const message = bytes + n % 3;
        std::uint32_t size = 0, number = 0;
        const int result = ring_receive(&pair.b, message, 64, &size);
        if (result == RING_EMPTY) {
            std::this_thread::yield();
            continue;
        }
        ASSERT_GE(result, 0);
        std::memcpy(&number, message, 4);
        wrong += number != n ? 1 : 0;
        for (std::uint32_t at = 4; at < size; ++at) wrong += message[at] != static_cast<std::uint8_t>(n) ? 1 : 0;
        ++n;
    }
    sender.join();
    EXPECT_EQ(wrong, 0u);
}

// Whoever is told to ring does, and nobody else: then neither sleeps for ever.
TEST(RingThreads, NobodySleepsForEver) {
    constexpr std::uint32_t count = 20'000;
    Pair pair{128, 128};
    pair.open_a(), pair.open_b();
    std::atomic<std::uint32_t> bell_a{0}, bell_b{0};
    std::thread sender{[&] {
        for (std::uint32_t n = 0; n < count;) {
            const std::uint32_t heard = bell_a.load();
            const int result = ring_send(&pair.a, &n, sizeof n);
            if (result == RING_FULL) bell_a.wait(heard);
            if (result == RING_TELL) ++bell_b, bell_b.notify_one();
            if (result >= 0) ++n;
        }
    }};
    for (std::uint32_t n = 0; n < count;) {
        const std::uint32_t heard = bell_b.load();
        std::uint32_t number = 0, size = 0;
        const int result = ring_receive(&pair.b, &number, sizeof number, &size);
        if (result == RING_EMPTY) bell_b.wait(heard);
        if (result == RING_TELL) ++bell_a, bell_a.notify_one();
        if (result < 0) continue;
        EXPECT_EQ(number, n);
        ++n;
    }
    sender.join();
}

}  // namespace
}  // namespace partita
