#include "partition/entropy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace partita {
namespace {

// RFC 8439 §2.3.2.
TEST(Entropy, BlockFunctionMatchesTheStandard) {
    Entropy::Key key{};
    for (std::uint32_t n = 0; n < 32; ++n) key[n / 4] |= n << n % 4 * 8;
    const auto block = Entropy::block(key, 1, {0x09000000, 0x4a000000, 0x00000000});
    const std::array<std::uint32_t, 16> expected{0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033,
                                                 0x9aaa2204, 0x4e6cd4c3, 0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
                                                 0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2};
    EXPECT_EQ(block, expected);
}

TEST(Entropy, SaysThatItHasNone) {
    Entropy entropy;
    EXPECT_FALSE(entropy.available());
    entropy.feed({});
    EXPECT_FALSE(entropy.available());
    const std::byte seed[32]{};
    entropy.feed(seed);
    EXPECT_TRUE(entropy.available());
}

TEST(Entropy, NeverRepeatsAndDependsOnTheSeed) {
    std::byte seed[64];
    std::memset(seed, 7, sizeof seed);
    Entropy first, second;
    first.feed(seed);
    seed[63] = std::byte{8};
    second.feed(seed);
    std::array<std::byte, 64> a{}, b{}, c{};
    first.fill(a);
    first.fill(b);
    second.fill(c);
    EXPECT_NE(a, b);
    EXPECT_NE(a, c);
    EXPECT_GT(std::count_if(a.begin(), a.end(), [](std::byte x) { return x != std::byte{0}; }), 48);
}

}  // namespace
}  // namespace partita
