// The PL061 whose lines are doorbells: as Linux' driver and others use it, and as hardware would be.
#include "device/pl061.hpp"

#include <gtest/gtest.h>

#include "fake_system.hpp"

namespace partita {
namespace {

constexpr std::uint32_t DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, RIS = 0x414, MIS = 0x418, IC = 0x41c, AFSEL = 0x420,
                        interrupt = 39;
// GPIODATA of these lines.
constexpr std::uint32_t data_of(std::uint32_t lines) { return lines << 2; }

class Pl061Test : public testing::Test {
protected:
    Pl061Test() {
        fake.start(0);
        distributor.write_word(by(), gicd::CTLR, 1);
        distributor.write_word(by(), gicd::ISENABLER + 4, 1u << interrupt % 32);
        gpio.reset(distributor, interrupt);
    }
    VcpuInterrupts& by() { return fake.vcpu(0, 0).interrupts; }
    [[nodiscard]] bool line() { return (distributor.read_word(by(), gicd::ISPENDR + 4) >> interrupt % 32 & 1u) != 0; }
    void set(std::uint32_t offset, std::uint32_t value) { EXPECT_EQ(gpio.write(offset, value), 0u); }

    FakeSystem fake;
    Distributor& distributor = system().partitions[0].distributor;
    Pl061 gpio;
};

TEST_F(Pl061Test, IsWhatADriverLooksFor) {
    std::uint32_t id = 0, cell = 0;
    for (unsigned n = 0; n < 4; ++n) id |= gpio.read(0xfe0 + 4 * n) << 8 * n, cell |= gpio.read(0xff0 + 4 * n) << 8 * n;
    EXPECT_EQ(id & 0x000f'ffff, 0x0004'1061u);
    EXPECT_EQ(cell, 0xb105'f00du);
    for (const std::uint32_t offset : {data_of(0xff), DIR, IS, IBE, IEV, IE, RIS, MIS, AFSEL})
        EXPECT_EQ(gpio.read(offset), 0u) << std::hex << offset;
}

TEST_F(Pl061Test, ARingIsAnEdgeUntilItIsCleared) {
    set(IEV, 2);
    set(IE, 2);
    gpio.pulse(0);
    EXPECT_EQ(gpio.read(RIS), 1u);
    EXPECT_FALSE(line()) << "masked";
    gpio.pulse(1);
    EXPECT_EQ(gpio.read(MIS), 2u);
    EXPECT_TRUE(line());
    set(IC, 2);
    EXPECT_EQ(gpio.read(RIS), 1u);
    EXPECT_FALSE(line());
    set(IE, 3);
    EXPECT_TRUE(line()) << "what came while it was masked";
    EXPECT_EQ(gpio.read(data_of(0xff)), 0u) << "an input is low again at once";
}

TEST_F(Pl061Test, OnlyAnOutputThatRisesRings) {
    EXPECT_EQ(gpio.write(data_of(1), 1), 0u) << "an input";
    EXPECT_EQ(gpio.write(DIR, 5), 1u) << "it was set before it became an output";
    EXPECT_EQ(gpio.write(data_of(1), 1), 0u) << "it is high already";
    EXPECT_EQ(gpio.write(data_of(1), 0), 0u);
    EXPECT_EQ(gpio.write(data_of(4), 0xff), 4u) << "the lines that the address means";
    EXPECT_EQ(gpio.read(data_of(0xff)), 4u);
    EXPECT_EQ(gpio.write(data_of(5), 5), 1u);
    EXPECT_EQ(gpio.read(data_of(1)), 1u);
    EXPECT_EQ(gpio.write(data_of(0), 0xff), 0u) << "no line";
    gpio.pulse(0);
    EXPECT_EQ(gpio.read(RIS), 0u) << "what the guest drives, nobody else does";
}

// An input is low: so a low level that is asked for is there all the time, and cannot be cleared.
TEST_F(Pl061Test, LevelsFollowTheLines) {
    set(IE, 1);
    set(IEV, 1);
    set(IS, 1);
    EXPECT_FALSE(line());
    set(IEV, 0);
    EXPECT_TRUE(line());
    set(IC, 1);
    EXPECT_TRUE(line());
    set(IS, 0);
    EXPECT_FALSE(line());
    EXPECT_EQ(gpio.write(DIR, 1), 0u);
    set(IS, 1), set(IEV, 1);
    EXPECT_EQ(gpio.write(data_of(1), 1), 1u);
    EXPECT_TRUE(line()) << "an output's level, too";
}

TEST_F(Pl061Test, RegistersKeepTheirEightBits) {
    for (const std::uint32_t offset : {IS, IBE, IEV, IE, AFSEL, DIR}) {
        (void)gpio.write(offset, 0xffff'ff5a);
        EXPECT_EQ(gpio.read(offset), 0x5au) << std::hex << offset;
    }
    for (const std::uint32_t offset : {RIS, MIS, 0x424u, 0x500u, 0xfdcu, 0xfe0u, 0xffcu, 0x1000u, 0x401u}) {
        const std::uint32_t before = gpio.read(offset);
        (void)gpio.write(offset, ~0u);
        EXPECT_EQ(gpio.read(offset), before) << std::hex << offset;
    }
    gpio.reset(distributor, interrupt);
    EXPECT_EQ(gpio.read(DIR), 0u) << "of an earlier life nothing is left";
}

}  // namespace
}  // namespace partita
