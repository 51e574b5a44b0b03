#include "device/pl031.hpp"

#include <gtest/gtest.h>

#include "fake_system.hpp"

namespace partita {
namespace {

constexpr std::uint32_t DR = 0x00, MR = 0x04, LR = 0x08, CR = 0x0c, IMSC = 0x10, RIS = 0x14, MIS = 0x18, ICR = 0x1c;

class Pl031Test : public testing::Test {
protected:
    static constexpr timer::Ticks second = 62'500'000;
    static constexpr std::uint32_t interrupt = 50;
    Pl031Test() {
        CNTPCT::write(10 * second + 5);
        clock.reset(vcpu.partition->distributor, interrupt, 1000, second);
    }
    [[nodiscard]] bool line() {
        return (vcpu.partition->distributor.read(vcpu.interrupts, gicd::ISPENDR + 4, 4) >> (interrupt - 32) & 1u) != 0;
    }
    FakeSystem fake;
    Vcpu& vcpu = fake.start(0);
    Pl031 clock;
};

TEST_F(Pl031Test, IdentifiesItself) {
    std::uint32_t id = 0, cell = 0;
    for (std::uint32_t n = 0; n < 4; ++n) id |= clock.read(0xfe0 + n * 4) << n * 8, cell |= clock.read(0xff0 + n * 4) << n * 8;
    EXPECT_EQ(id & 0xfffffu, 0x41031u);
    EXPECT_EQ(cell, 0xb105'f00du);
    EXPECT_EQ(clock.read(CR), 1u);
    EXPECT_EQ(clock.read(0x40), 0u);
}

TEST_F(Pl031Test, CountsSeconds) {
    EXPECT_EQ(clock.read(DR), 1010u);
    CNTPCT::write(11 * second - 1);
    EXPECT_EQ(clock.read(DR), 1010u);
    CNTPCT::write(11 * second);
    EXPECT_EQ(clock.read(DR), 1011u);
    clock.write(LR, 5000);
    EXPECT_EQ(clock.read(DR), 5000u);
    EXPECT_EQ(clock.read(LR), 5000u);
    CNTPCT::write(13 * second);
    EXPECT_EQ(clock.read(DR), 5002u);
}

TEST_F(Pl031Test, TheAlarmComesWhenTheClockShowsIt) {
    clock.write(IMSC, 1);
    clock.write(MR, 1013);
    EXPECT_EQ(clock.due(), 13 * second);
    clock.expire(13 * second - 1);
    EXPECT_FALSE(line());
    clock.expire(13 * second);
    EXPECT_TRUE(line());
    EXPECT_EQ(clock.read(MIS), 1u);
    EXPECT_EQ(clock.due(), timer::never) << "once";
    clock.write(ICR, 1);
    EXPECT_FALSE(line());
    EXPECT_EQ(clock.read(RIS), 0u);
}

TEST_F(Pl031Test, AnAlarmOfNowIsAtOnceAndAMaskedOneIsSilent) {
    clock.write(MR, 1010);
    EXPECT_EQ(clock.read(RIS), 1u);
    EXPECT_FALSE(line());
    clock.write(IMSC, 1);
    EXPECT_TRUE(line());
}

TEST_F(Pl031Test, SettingTheClockMovesTheAlarm) {
    clock.write(MR, 1020);
    clock.write(LR, 1018);
    EXPECT_EQ(clock.due(), 12 * second);
    clock.write(MR, 1017);
    EXPECT_GT(clock.due(), timer::Ticks{1} << 57) << "when the seconds have wrapped";
}

// Partition a's clock belongs to CPU 0, which arms its timer for it, whoever set it.
TEST_F(Pl031Test, TheFirstCpuWakesForIt) {
    Partition& a = *vcpu.partition;
    vcpu.cpu->tick = 0;
    EXPECT_NE(a.description->clock_interrupt, 0u);
    const std::uint32_t now = a.clock.read(DR);
    a.clock.write(MR, now + 2);
    post(vcpu, event::alarm);
    EXPECT_EQ(run_next(*vcpu.cpu), &vcpu);
    EXPECT_EQ(vcpu.cpu->armed, 12 * second);
    CNTPCT::write(12 * second);
    expire(*vcpu.cpu, 12 * second);
    EXPECT_EQ(a.clock.read(RIS), 1u);
    EXPECT_EQ(vcpu.cpu->alarm, timer::never);
}

}  // namespace
}  // namespace partita
