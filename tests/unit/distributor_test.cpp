// The distributor's registers, as a guest reads and writes them.
#include <gtest/gtest.h>

#include "random.hpp"

#include "fake_system.hpp"

namespace partita {
namespace {

class Registers : public testing::Test {
protected:
    std::uint32_t get(std::uint32_t offset, unsigned size = 4) { return vcpu.partition->distributor.read(vcpu.interrupts, offset, size); }
    void set(std::uint32_t offset, std::uint32_t value, unsigned size = 4) {
        vcpu.partition->distributor.write(vcpu.interrupts, offset, size, value);
    }

    FakeSystem fake;
    Vcpu& vcpu = fake.start(0);  // of a partition with two vCPUs
};

TEST_F(Registers, SayWhatTheGicIs) {
    EXPECT_EQ(get(gicd::TYPER), 2u | 1u << 5);  // 96 interrupts, 2 CPUs, no Security Extensions
    EXPECT_EQ(get(gicd::ICPIDR2) >> 4, 2u);     // GICv2
    EXPECT_EQ(get(gicd::CTLR), 0u);
    set(gicd::TYPER, 0xffff'ffff);
    set(gicd::ICPIDR2, 0xffff'ffff);
    EXPECT_EQ(get(gicd::TYPER), 2u | 1u << 5);
    set(gicd::CTLR, 0xffff'ffff);
    EXPECT_EQ(get(gicd::CTLR), 1u);
}

TEST_F(Registers, SgisAreAlwaysEnabled) {
    EXPECT_EQ(get(gicd::ISENABLER), 0xffffu);
    set(gicd::ICENABLER, 0xffff'ffff);
    EXPECT_EQ(get(gicd::ISENABLER), 0xffffu);
}

TEST_F(Registers, InterruptsThatDoNotExistReadAsZero) {
    set(gicd::ISENABLER + 12, 0xffff'ffff);
    EXPECT_EQ(get(gicd::ISENABLER + 12), 0u);
    set(gicd::IPRIORITYR + 96, 0xff, 1);
    EXPECT_EQ(get(gicd::IPRIORITYR + 96, 1), 0u);
    set(gicd::ISENABLER + 0x7c, 0xffff'ffff);
    EXPECT_EQ(get(gicd::ISENABLER + 0x7c), 0u);
}

TEST_F(Registers, PrioritiesHaveFiveBitsAndBytes) {
    set(gicd::IPRIORITYR + 48, 0xffc1'7f08);
    EXPECT_EQ(get(gicd::IPRIORITYR + 48), 0xf8c0'7808u);
    EXPECT_EQ(get(gicd::IPRIORITYR + 50, 1), 0xc0u);
    set(gicd::IPRIORITYR + 50, 0x20, 1);
    EXPECT_EQ(get(gicd::IPRIORITYR + 48), 0xf820'7808u);
}

TEST_F(Registers, TargetsAreVirtualCpusThatExist) {
    EXPECT_EQ(get(gicd::ITARGETSR), 0x01010101u);  // each CPU reads itself
    EXPECT_EQ(vcpu.partition->distributor.read(fake.vcpu(0, 1).interrupts, gicd::ITARGETSR, 4), 0x02020202u);
    set(gicd::ITARGETSR + 48, 0xff, 1);
    EXPECT_EQ(get(gicd::ITARGETSR + 48, 1), 3u);
    set(gicd::ITARGETSR, 0xffff'ffff);
    EXPECT_EQ(get(gicd::ITARGETSR), 0x01010101u);
}

TEST_F(Registers, TargetsOfAUniprocessorReadAsZero) {
    Vcpu& single = fake.start(1);
    single.partition->distributor.write(single.interrupts, gicd::ITARGETSR + 48, 1, 1);
    EXPECT_EQ(single.partition->distributor.read(single.interrupts, gicd::ITARGETSR + 48, 1), 0u);
}

TEST_F(Registers, RoutesOfLinkedInterruptsFollowTheTarget) {
    set(gicd::ITARGETSR + 40, 2, 1);
    EXPECT_EQ(fake.gic.physical_target[40], 2u);  // the second vCPU is on CPU 1, whose interface is 2
    set(gicd::ITARGETSR + 40, 1, 1);
    EXPECT_EQ(fake.gic.physical_target[40], 1u);
    set(gicd::ITARGETSR + 50, 2, 1);
    EXPECT_FALSE(fake.gic.physical_target.contains(50));
}

TEST_F(Registers, AnInterruptThatIsNotItsOwnIsUntouched) {
    set(gicd::ISENABLER + 4, 0xffff'ffff);
    EXPECT_EQ(fake.gic.physical_enabled, (std::set<std::uint32_t>{40, 41})) << "only what is linked reaches the hardware";
}

TEST_F(Registers, TheHardwareIsConfiguredAsTheBoardIsWired) {
    EXPECT_EQ(fake.gic.configuration[41 / 16], 2u << 41 % 16 * 2);  // 40 is a level, 41 an edge
}

TEST_F(Registers, ConfigurationKeepsToTheRules) {
    set(gicd::ICFGR, 0);
    EXPECT_EQ(get(gicd::ICFGR), 0xaaaa'aaaau);  // SGIs are edges
    set(gicd::ICFGR + 8, 0xffff'ffff);
    EXPECT_EQ(get(gicd::ICFGR + 8) & 0x000f'0000u, 0x0008'0000u);  // 40 is wired as a level, 41 as an edge
}

TEST_F(Registers, SgiPendingBytes) {
    set(gicd::SPENDSGIR + 5, 0xff, 1);
    EXPECT_EQ(get(gicd::SPENDSGIR + 5, 1), 3u);
    EXPECT_EQ(get(gicd::ISPENDR), 1u << 5);
    set(gicd::CPENDSGIR + 5, 1, 1);
    EXPECT_EQ(get(gicd::CPENDSGIR + 5, 1), 2u);
}

// Any access of any width to any offset, by either vCPU: an answer, and nothing of another partition touched.
TEST_F(Registers, AreTotal) {
    Random random{5};
    fake.be_cpu(0);
    const auto enabled_before = fake.gic.physical_enabled;
    for (int n = 0; n < 300'000; ++n) {
        VcpuInterrupts& by = vcpu.interrupts;
        const unsigned size = 1u << random() % 3;
        const std::uint32_t offset = random() % 0x1000;
        if (random() % 2 == 0)
            vcpu.partition->distributor.write(by, offset, size, random());
        else
            (void)vcpu.partition->distributor.read(by, offset, size);
    }
    for (const std::uint32_t id : fake.gic.physical_enabled)
        EXPECT_TRUE(enabled_before.contains(id) || id == 40 || id == 41 || id == 27) << id;
    for (const auto& [id, target] : fake.gic.physical_target)
        if (id >= 32) EXPECT_TRUE(id == 40 || id == 41) << id;
}

}  // namespace
}  // namespace partita
