// The virtual GIC on a GIC of four list registers that a test plays the guest of.
#include <gtest/gtest.h>

#include <map>
#include "random.hpp"

#include "fake_system.hpp"

namespace partita {
namespace {

class VirtualGic : public testing::Test {
protected:
    VirtualGic() { set(gicd::CTLR, 1); }

    void set(std::uint32_t offset, std::uint32_t value, unsigned size = 4) {
        if (size == 4)
            gic().write_word(vcpu.interrupts, offset, value);
        else
            gic().write(vcpu.interrupts, offset, size, value);
    }
    [[nodiscard]] std::uint32_t get(std::uint32_t offset, unsigned size = 4) { return gic().read(vcpu.interrupts, offset, size); }
    [[nodiscard]] Distributor& gic() { return vcpu.partition->distributor; }
    void enable(std::uint32_t id, std::uint32_t priority = 0xa0, bool edge = true) {
        set(gicd::IPRIORITYR + id, priority, 1);
        if (id >= 32) set(gicd::ITARGETSR + id, 1, 1);
        if (id >= 16)
            set(gicd::ICFGR + id / 16 * 4, (get(gicd::ICFGR + id / 16 * 4) & ~(3u << id % 16 * 2)) | (edge ? 2u << id % 16 * 2 : 0));
        set(gicd::ISENABLER + id / 32 * 4, 1u << id % 32);
    }
    void pend(std::uint32_t id) { set(gicd::ISPENDR + id / 32 * 4, 1u << id % 32); }
    // The physical GIC would interrupt for maintenance before the guest runs on.
    void settle() {
        for (int n = 0; n < 20 && hardware.maintenance(); ++n) vcpu.interrupts.maintain();
        ASSERT_FALSE(hardware.maintenance()) << "a maintenance interrupt that never ends";
    }
    std::optional<std::uint32_t> take() {
        settle();
        return hardware.acknowledge();
    }
    void finish() {
        hardware.end();
        settle();
    }

    FakeSystem fake;
    FakeGic& hardware = fake.gic;
    Vcpu& vcpu = fake.start(0);
};

TEST_F(VirtualGic, DeliversOnceAndAgain) {
    enable(50);
    pend(50);
    EXPECT_EQ(take(), 50u);
    EXPECT_EQ(take(), std::nullopt);
    finish();
    EXPECT_EQ(take(), std::nullopt);
    pend(50);
    EXPECT_EQ(take(), 50u);
}

TEST_F(VirtualGic, NothingComesWhileDisabled) {
    pend(50);
    EXPECT_EQ(take(), std::nullopt);
    EXPECT_EQ(get(gicd::ISPENDR + 4), 1u << 18);
    enable(50);
    EXPECT_EQ(take(), 50u);
}

TEST_F(VirtualGic, DisablingTakesAPendingOneBack) {
    enable(50);
    pend(50);
    EXPECT_EQ(hardware.live(), 1u);
    set(gicd::ICENABLER + 4, 1u << 18);
    EXPECT_EQ(hardware.live(), 0u);
    EXPECT_EQ(get(gicd::ISPENDR + 4), 1u << 18);
    set(gicd::ISENABLER + 4, 1u << 18);
    EXPECT_EQ(take(), 50u);
}

TEST_F(VirtualGic, DisablingTheDistributorTakesAllBack) {
    enable(50);
    pend(50);
    set(gicd::CTLR, 0);
    EXPECT_EQ(hardware.live(), 0u);
    set(gicd::CTLR, 1);
    EXPECT_EQ(take(), 50u);
}

TEST_F(VirtualGic, PendingWhileActiveComesAgain) {
    enable(50);
    pend(50);
    EXPECT_EQ(take(), 50u);
    pend(50);
    EXPECT_EQ(take(), std::nullopt);
    finish();
    EXPECT_EQ(take(), 50u);
    finish();
    EXPECT_EQ(take(), std::nullopt);
}

TEST_F(VirtualGic, ALevelComesUntilItFalls) {
    enable(50, 0xa0, false);
    gic().set_level(50, true);
    EXPECT_EQ(take(), 50u);
    finish();
    EXPECT_EQ(take(), 50u);
    gic().set_level(50, false);
    finish();
    EXPECT_EQ(take(), std::nullopt);
}

TEST_F(VirtualGic, ALevelThatFallsBeforeItIsTakenIsGone) {
    enable(50, 0xa0, false);
    gic().set_level(50, true);
    EXPECT_EQ(hardware.live(), 1u);
    gic().set_level(50, false);
    EXPECT_EQ(take(), std::nullopt);
}

TEST_F(VirtualGic, MoreThanTheListRegistersHold) {
    for (std::uint32_t id = 40 + 8; id < 60; ++id) enable(id, 0xf0 - (id - 48) * 8);
    for (std::uint32_t id = 48; id < 60; ++id) pend(id);
    for (std::uint32_t id = 59; id >= 48; --id) {
        EXPECT_EQ(take(), id);  // the most urgent first
        finish();
    }
    EXPECT_EQ(take(), std::nullopt);
    EXPECT_EQ(hardware.control, gich::hcr::enable);
}

TEST_F(VirtualGic, NestedDeeperThanTheListRegisters) {
    for (std::uint32_t n = 0; n < 8; ++n) {
        enable(48 + n, 0xf0 - n * 16);
        pend(48 + n);
        ASSERT_EQ(take(), 48 + n);
    }
    EXPECT_EQ(hardware.running.size(), 8u);
    for (int n = 0; n < 8; ++n) finish();
    EXPECT_EQ(hardware.live(), 0u);
    for (std::uint32_t n = 0; n < 8; ++n) {
        pend(48 + n);
        ASSERT_EQ(take(), 48 + n) << "lost after nesting";
        finish();
    }
}

TEST_F(VirtualGic, SgisRememberTheirSource) {
    Vcpu& second = fake.vcpu(0, 1);
    gic().write(second.interrupts, gicd::SGIR, 4, 1u << 16 | 3);  // the second vCPU sends SGI 3 to the first
    fake.be_cpu(0);
    vcpu.interrupts.serve();
    EXPECT_EQ(list_register::SourceCpu::get(hardware.lr[0]), 1u);
    set(gicd::SGIR, 2u << 24 | 3);  // and the first to itself
    EXPECT_EQ(take(), 3u);
    finish();
    EXPECT_EQ(take(), 3u);
    finish();
    EXPECT_EQ(take(), std::nullopt);
}

TEST_F(VirtualGic, TheReservedSgiFilterIsIgnored) {
    set(gicd::SGIR, 3u << 24 | 0xff0000u | 3);
    EXPECT_EQ(take(), std::nullopt);
}

TEST_F(VirtualGic, LinkedInterruptsEndInTheHardware) {
    enable(40, 0xa0, false);
    EXPECT_TRUE(hardware.physical_enabled.contains(40));
    hardware.physical_active.insert(40);
    gic().take_linked(40, &vcpu.interrupts);
    EXPECT_TRUE(list_register::Hardware::test(hardware.lr[0]));
    EXPECT_EQ(take(), 40u);
    finish();
    EXPECT_FALSE(hardware.physical_active.contains(40));
}

TEST_F(VirtualGic, DisablingALinkedOneLeavesNothingActive) {
    enable(40, 0xa0, false);
    hardware.physical_active.insert(40);
    gic().take_linked(40, &vcpu.interrupts);
    set(gicd::ICENABLER + 4, 1u << 8);
    EXPECT_FALSE(hardware.physical_enabled.contains(40));
    EXPECT_FALSE(hardware.physical_active.contains(40));
    EXPECT_FALSE(hardware.physical_pending.contains(40));
    EXPECT_EQ(take(), std::nullopt);
}

TEST_F(VirtualGic, DisablingALinkedEdgeDoesNotLoseIt) {
    enable(41);
    hardware.physical_active.insert(41);
    gic().take_linked(41, &vcpu.interrupts);
    set(gicd::ICENABLER + 4, 1u << 9);
    EXPECT_FALSE(hardware.physical_active.contains(41));
    EXPECT_TRUE(hardware.physical_pending.contains(41));
}

TEST_F(VirtualGic, TheTimersInterruptTravelsWithItsVcpu) {
    enable(27, 0xa0, false);
    EXPECT_TRUE(hardware.physical_enabled.contains(27));
    hardware.physical_active.insert(27);
    vcpu.interrupts.take_linked_private(27);
    const bool enabled = vcpu.interrupts.park();
    EXPECT_TRUE(enabled);
    EXPECT_FALSE(hardware.physical_active.contains(27)) << "another vCPU's timer could not interrupt";
    Vcpu& other = fake.vcpu(1, 0);
    begin(system().partitions[1]);
    other.interrupts.load(enabled);
    EXPECT_FALSE(hardware.physical_enabled.contains(27)) << "that one has not enabled it";
    EXPECT_FALSE(other.interrupts.park());
    EXPECT_TRUE(vcpu.interrupts.wants_to_run());
    vcpu.interrupts.load(false);
    EXPECT_TRUE(hardware.physical_enabled.contains(27));
    EXPECT_TRUE(hardware.physical_active.contains(27));
    EXPECT_EQ(take(), 27u);
    finish();
    EXPECT_FALSE(hardware.physical_active.contains(27));
}

TEST_F(VirtualGic, ParkedInTheMiddleOfAHandler) {
    enable(50);
    enable(51, 0x80);
    pend(50);
    ASSERT_EQ(take(), 50u);
    pend(51);
    const bool enabled = vcpu.interrupts.park();
    EXPECT_EQ(hardware.live(), 0u);
    pend(50);
    vcpu.interrupts.load(enabled);
    EXPECT_EQ(take(), 51u);
    finish();
    finish();
    EXPECT_EQ(take(), 50u);
}

TEST_F(VirtualGic, RetargetingMovesAPendingInterrupt) {
    enable(50);
    pend(50);
    EXPECT_EQ(hardware.live(), 1u);
    set(gicd::ITARGETSR + 50, 2, 1);
    EXPECT_EQ(hardware.live(), 0u);
    EXPECT_TRUE(system().cpus[1].looks.load() & fake.vcpu(0, 1).bit);
}

// Edges, levels and linked interrupts of random priorities; enables, disables, acknowledges, ends, parking and loading in
// any order: each edge that was accepted is delivered, none without a cause, and no state is left at the end.
TEST_F(VirtualGic, NothingIsLostInAnyOrder) {
    for (unsigned seed = 0; seed < 300; ++seed) {
        Random random{seed};
        std::map<std::uint32_t, unsigned> raised, taken;
        const auto any = [&] { return 48 + random() % 12; };
        for (std::uint32_t id = 48; id < 60; ++id) enable(id, random() % 32 * 8, true);
        for (int step = 0; step < 300; ++step) {
            switch (random() % 8) {
                case 0:
                case 1:
                case 2: {
                    const std::uint32_t id = any();
                    pend(id);
                    ++raised[id];
                    break;
                }
                case 3:
                case 4:
                    if (const auto id = take()) ++taken[*id];
                    break;
                case 5:
                    if (!hardware.running.empty()) finish();
                    break;
                case 6: {
                    const std::uint32_t id = any();
                    set(gicd::ICENABLER + 4, 1u << id % 32);
                    set(gicd::ISENABLER + 4, 1u << id % 32);
                    break;
                }
                default: vcpu.interrupts.load(vcpu.interrupts.park()); break;
            }
        }
        for (int rounds = 0; rounds < 100; ++rounds) {
            while (const auto id = take()) ++taken[*id];
            if (hardware.running.empty()) break;
            finish();
        }
        ASSERT_EQ(hardware.live(), 0u) << "seed " << seed;
        for (std::uint32_t id = 48; id < 60; ++id) {
            ASSERT_LE(taken[id], raised[id]) << "seed " << seed << ": interrupt " << id << " came without a cause";
            ASSERT_EQ(taken[id] != 0, raised[id] != 0) << "seed " << seed << ": interrupt " << id << " was lost";
        }
        ASSERT_EQ(get(gicd::ISPENDR + 4) | get(gicd::ISACTIVER + 4), 0u) << "seed " << seed;
    }
}

// After the last raise of each interrupt it is taken at least once more.
TEST_F(VirtualGic, TheLastEdgeAlwaysArrives) {
    for (unsigned seed = 0; seed < 300; ++seed) {
        Random random{seed};
        std::map<std::uint32_t, bool> owed;
        for (std::uint32_t id = 48; id < 56; ++id) enable(id, random() % 8 * 32, true);
        for (int step = 0; step < 200; ++step) {
            const std::uint32_t id = 48 + random() % 8;
            switch (random() % 5) {
                case 0:
                case 1: pend(id), owed[id] = true; break;
                case 2:
                    if (const auto got = take()) owed[*got] = false;
                    break;
                case 3:
                    if (!hardware.running.empty()) finish();
                    break;
                default: vcpu.interrupts.load(vcpu.interrupts.park()); break;
            }
        }
        for (int rounds = 0; rounds < 100; ++rounds) {
            while (const auto got = take()) owed[*got] = false;
            if (hardware.running.empty()) break;
            finish();
        }
        for (const auto& [id, is_owed] : owed) ASSERT_FALSE(is_owed) << "seed " << seed << ": the last edge of " << id;
    }
}

}  // namespace
}  // namespace partita
