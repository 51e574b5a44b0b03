#include "device/sp805.hpp"

#include <gtest/gtest.h>

#include "fake_system.hpp"

namespace partita {
namespace {

constexpr std::uint32_t LOAD = 0x000, VALUE = 0x004, CONTROL = 0x008, INTCLR = 0x00c, RIS = 0x010, MIS = 0x014, LOCK = 0xc00;
constexpr std::uint32_t clock_hz = 24'000'000;

class Sp805Test : public testing::Test {
protected:
    static constexpr timer::Ticks second = 62'500'000, begin = 10 * second;
    static constexpr std::uint32_t interrupt = 50;
    Sp805Test() { make(false); }
    // Four seconds at most, of two rounds.
    void make(bool from_boot) {
        CNTPCT::write(begin);
        watchdog.reset(vcpu.partition->distributor, interrupt, 4000, from_boot, second);
        watchdog.start();
    }
    [[nodiscard]] bool line() {
        return (vcpu.partition->distributor.read(vcpu.interrupts, gicd::ISPENDR + 4, 4) >> (interrupt - 32) & 1u) != 0;
    }
    void at(timer::Ticks now) { CNTPCT::write(now); }
    FakeSystem fake;
    Vcpu& vcpu = fake.start(0);
    Sp805 watchdog;
};

TEST_F(Sp805Test, IdentifiesItself) {
    std::uint32_t id = 0, cell = 0;
    for (std::uint32_t n = 0; n < 4; ++n) id |= watchdog.read(0xfe0 + n * 4) << n * 8, cell |= watchdog.read(0xff0 + n * 4) << n * 8;
    EXPECT_EQ(id & 0xfffffu, 0x41805u);
    EXPECT_EQ(cell, 0xb105'f00du);
    EXPECT_EQ(watchdog.read(LOAD), ~0u);
    EXPECT_EQ(watchdog.due(), timer::never);
}

TEST_F(Sp805Test, BarksOnceAndBitesTheSecondTime) {
    watchdog.write(LOAD, clock_hz - 1);  // a second
    EXPECT_EQ(watchdog.due(), timer::never) << "not started";
    watchdog.write(CONTROL, 3);
    EXPECT_EQ(watchdog.due(), begin + second);
    at(begin + second / 2);
    EXPECT_EQ(watchdog.read(VALUE), clock_hz / 2);
    EXPECT_FALSE(watchdog.expire(begin + second - 1));
    EXPECT_FALSE(line());
    EXPECT_FALSE(watchdog.expire(begin + second));
    EXPECT_TRUE(line());
    EXPECT_EQ(watchdog.read(MIS), 1u);
    EXPECT_EQ(watchdog.due(), begin + 2 * second);
    EXPECT_TRUE(watchdog.expire(begin + 2 * second));
    EXPECT_EQ(watchdog.due(), timer::never);
}

TEST_F(Sp805Test, FeedingIsClearingTheInterrupt) {
    watchdog.write(LOAD, clock_hz - 1);
    watchdog.write(CONTROL, 3);
    EXPECT_FALSE(watchdog.expire(begin + second));
    at(begin + second + second / 2);
    watchdog.write(INTCLR, 0);
    EXPECT_FALSE(line());
    EXPECT_EQ(watchdog.read(RIS), 0u);
    EXPECT_EQ(watchdog.due(), begin + 2 * second + second / 2);
    EXPECT_FALSE(watchdog.expire(watchdog.due())) << "it barks again first";
}

TEST_F(Sp805Test, WithoutResetItOnlyBarks) {
    watchdog.write(LOAD, clock_hz - 1);
    watchdog.write(CONTROL, 1);
    EXPECT_FALSE(watchdog.expire(begin + second));
    EXPECT_FALSE(watchdog.expire(begin + 2 * second));
    watchdog.write(CONTROL, 0);
    EXPECT_EQ(watchdog.due(), timer::never);
    EXPECT_FALSE(line());
}

TEST_F(Sp805Test, TheDescriptionSaysTheLongestTime) {
    watchdog.write(LOAD, ~0u);
    watchdog.write(CONTROL, 3);
    EXPECT_EQ(watchdog.due(), begin + 2 * second) << "of two rounds in four seconds";
    watchdog.write(LOAD, 0);
    EXPECT_GT(watchdog.due(), begin) << "never at once";
}

TEST_F(Sp805Test, FrozenItHasAsLongAsItHad) {
    watchdog.freeze(begin);
    watchdog.thaw(begin + second);
    EXPECT_EQ(watchdog.due(), timer::never) << "it was not started";
    watchdog.write(LOAD, clock_hz - 1);
    watchdog.write(CONTROL, 3);
    watchdog.freeze(begin + second / 4);
    EXPECT_EQ(watchdog.due(), timer::never);
    EXPECT_FALSE(watchdog.expire(begin + 100 * second));
    watchdog.thaw(begin + 100 * second);
    EXPECT_EQ(watchdog.due(), begin + 100 * second + second * 3 / 4);
    watchdog.freeze(begin + 102 * second);  // it was due, and nobody had come to look
    watchdog.thaw(begin + 200 * second);
    EXPECT_EQ(watchdog.due(), begin + 200 * second + 1);
    watchdog.freeze(begin + 200 * second);
    watchdog.stop();
    watchdog.thaw(begin + 201 * second);
    EXPECT_EQ(watchdog.due(), timer::never) << "its life has ended meanwhile";
}

TEST_F(Sp805Test, LockedItChangesNothing) {
    watchdog.write(LOAD, clock_hz - 1);
    watchdog.write(CONTROL, 3);
    watchdog.write(LOCK, 0);
    EXPECT_EQ(watchdog.read(LOCK), 1u);
    at(begin + second / 2);
    watchdog.write(LOAD, 7), watchdog.write(CONTROL, 0), watchdog.write(INTCLR, 1);
    EXPECT_EQ(watchdog.due(), begin + second);
    EXPECT_EQ(watchdog.read(LOAD), clock_hz - 1);
    watchdog.write(LOCK, 0x1acc'e551);
    watchdog.write(CONTROL, 0);
    EXPECT_EQ(watchdog.due(), timer::never);
}

TEST_F(Sp805Test, FromBootItCannotBeStopped) {
    make(true);
    EXPECT_EQ(watchdog.due(), begin + 2 * second);
    watchdog.write(CONTROL, 0);
    EXPECT_EQ(watchdog.due(), begin + 2 * second);
    EXPECT_FALSE(watchdog.expire(begin + 2 * second));
    watchdog.write(CONTROL, 1);
    EXPECT_TRUE(watchdog.expire(begin + 4 * second));
}

TEST_F(Sp805Test, ItEndsWithTheLife) {
    make(true);
    watchdog.stop();
    EXPECT_EQ(watchdog.due(), timer::never);
    EXPECT_FALSE(watchdog.expire(begin + 100 * second));
}

}  // namespace
}  // namespace partita
