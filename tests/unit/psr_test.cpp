#include "arch/psr.hpp"

#include <gtest/gtest.h>

namespace partita {
namespace {

// The table of DDI 0406C A8.3, written out.
bool expected(unsigned condition, bool n, bool z, bool c, bool v) {
    switch (condition) {
        case 0: return z;
        case 1: return !z;
        case 2: return c;
        case 3: return !c;
        case 4: return n;
        case 5: return !n;
        case 6: return v;
        case 7: return !v;
        case 8: return c && !z;
        case 9: return !c || z;
        case 10: return n == v;
        case 11: return n != v;
        case 12: return !z && n == v;
        case 13: return z || n != v;
        default: return true;
    }
}

TEST(Psr, ConditionsHoldAsTheManualSays) {
    for (std::uint32_t flags = 0; flags < 16; ++flags)
        for (std::uint32_t condition = 0; condition < 16; ++condition)
            EXPECT_EQ(condition_holds(condition, flags << 28),
                      expected(condition, flags >> 3 & 1, flags >> 2 & 1, flags >> 1 & 1, flags & 1))
                << condition << " " << flags;
}

std::uint32_t with_it(std::uint32_t it) { return psr::ItHigh::make(it >> 2) | psr::ItLow::make(it & 3u) | psr::Thumb::mask | 0xf000'0013u; }

// ITTE EQ: condition 0000, mask 0110: EQ, EQ, NE.
TEST(Psr, ItBlockAdvancesThroughItsInstructions) {
    std::uint32_t state = with_it(0b0000'0110);
    EXPECT_EQ(it_state(state) >> 4, 0u);
    state = advance_it(state);
    EXPECT_EQ(it_state(state), 0b0000'1100u);
    EXPECT_EQ(it_state(state) >> 4, 0u);
    state = advance_it(state);
    EXPECT_EQ(it_state(state), 0b0001'1000u);
    EXPECT_EQ(it_state(state) >> 4, 1u);
    state = advance_it(state);
    EXPECT_EQ(it_state(state), 0u);
    EXPECT_EQ(state, with_it(0));
}

TEST(Psr, OnlyGuestModesMayBeResumed) {
    const std::uint32_t good[] = {0x10, 0x11, 0x12, 0x13, 0x17, 0x1b, 0x1f};
    for (std::uint32_t mode = 0; mode < 32; ++mode)
        EXPECT_EQ(is_guest_mode(mode | 0xf000'00c0), std::find(std::begin(good), std::end(good), mode) != std::end(good)) << mode;
}

}  // namespace
}  // namespace partita
