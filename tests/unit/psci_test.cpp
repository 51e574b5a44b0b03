// The monitor's PSCI: who is on, and who begins where (DEN0022).
#include "psci.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "partita/hypercall.h"

namespace partita::monitor {
namespace {

using std::uint32_t;

class PsciTest : public testing::Test {
protected:
    PsciTest() { psci.open(board); }

    static partita_monitor_header make_board() {
        partita_monitor_header out{};
        out.ram = 0x4000'0000, out.ram_size = 0x4000'0000;
        out.power = PARTITA_POWER_PL061;
        out.cpus = 4;
        const uint32_t mpidr[] = {0, 1, 0x100, 0x101};  // two clusters
        std::copy(std::begin(mpidr), std::end(mpidr), out.mpidr);
        return out;
    }
    std::int32_t call(uint32_t function, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0, uint32_t self = 0) {
        Call registers{function, a, b, c};
        last = psci.call(registers, self);
        EXPECT_EQ(registers.r1, a);
        EXPECT_EQ(registers.r2, b);
        EXPECT_EQ(registers.r3, c);
        return static_cast<std::int32_t>(registers.r0);
    }

    partita_monitor_header board = make_board();
    Psci psci;
    Psci::Answer last;
};

TEST_F(PsciTest, VersionsAndFeatures) {
    EXPECT_EQ(call(PSCI_VERSION), 0x10001);
    EXPECT_EQ(call(SMCCC_VERSION), 0x10001);
    EXPECT_EQ(call(PSCI_MIGRATE_INFO_TYPE), 2);
    for (const uint32_t there : {PSCI_VERSION, PSCI_CPU_ON, PSCI_CPU_OFF, PSCI_CPU_SUSPEND, PSCI_AFFINITY_INFO, PSCI_SYSTEM_OFF,
                                 PSCI_SYSTEM_RESET, PSCI_FEATURES, SMCCC_VERSION})
        EXPECT_EQ(call(PSCI_FEATURES, there), PSCI_SUCCESS) << std::hex << there;
    for (const uint32_t other : {0u, 0x84000005u, 0x84000007u, 0x8400000bu, 0x84000012u, 0xc4000003u, ~0u})
        EXPECT_EQ(call(PSCI_FEATURES, other), PSCI_NOT_SUPPORTED) << std::hex << other;
    EXPECT_EQ(call(SMCCC_ARCH_FEATURES, SMCCC_VERSION), PSCI_SUCCESS);
    EXPECT_EQ(call(SMCCC_ARCH_FEATURES, 0x80008000u), SMCCC_NOT_SUPPORTED);
    EXPECT_EQ(last.then, Then::goes_on);
}

TEST_F(PsciTest, WhatIsUnknownIsNotSupported) {
    for (const uint32_t function : {0u, 1u, 0x84000005u, 0x84000013u, 0xc4000003u, 0x8600ff01u, 0xb2000000u, 0x04000003u, ~0u}) {
        EXPECT_EQ(call(function, 1, 0x4000'0000, 2), PSCI_NOT_SUPPORTED) << std::hex << function;
        EXPECT_EQ(last.then, Then::goes_on);
        EXPECT_EQ(last.wakes, ~0u);
    }
}

TEST_F(PsciTest, ACpuBeginsWhereItWasTold) {
    EXPECT_EQ(call(PSCI_AFFINITY_INFO, 0x100), 1);
    EXPECT_EQ(call(PSCI_CPU_ON, 0x100, 0x4020'0040, 0xabcd), PSCI_SUCCESS);
    EXPECT_EQ(last.wakes, 2u);
    EXPECT_EQ(call(PSCI_AFFINITY_INFO, 0x100), 2) << "on its way";
    EXPECT_EQ(call(PSCI_CPU_ON, 0x100, 0x4020'0080, 1), PSCI_ON_PENDING);
    EXPECT_EQ(last.wakes, ~0u);
    Begin begin{};
    EXPECT_FALSE(psci.taken(1, begin)) << "another";
    ASSERT_TRUE(psci.taken(2, begin));
    EXPECT_EQ(begin.entry, 0x4020'0040u);
    EXPECT_EQ(begin.context, 0xabcdu);
    EXPECT_FALSE(psci.taken(2, begin)) << "once";
    EXPECT_EQ(call(PSCI_AFFINITY_INFO, 0x100), 0);
    EXPECT_EQ(call(PSCI_CPU_ON, 0x100, 0x4020'0040, 1), PSCI_ALREADY_ON);
    EXPECT_EQ(call(PSCI_CPU_ON, 0, 0x4020'0040, 1), PSCI_ALREADY_ON) << "the first one";
}

TEST_F(PsciTest, ACpuThatIsOffCanBeginAgain) {
    Begin begin{};
    EXPECT_EQ(call(PSCI_CPU_ON, 1, 0x4000'0000, 1), PSCI_SUCCESS);
    EXPECT_TRUE(psci.taken(1, begin));
    (void)call(PSCI_CPU_OFF, 0, 0, 0, 1);
    EXPECT_EQ(last.then, Then::is_off);
    EXPECT_EQ(call(PSCI_AFFINITY_INFO, 1), 1);
    EXPECT_EQ(call(PSCI_CPU_ON, 1, 0x4000'1000, 2), PSCI_SUCCESS);
    ASSERT_TRUE(psci.taken(1, begin));
    EXPECT_EQ(begin.entry, 0x4000'1000u);
}

TEST_F(PsciTest, WhatIsNoCpuOrNoMemoryOfTheNonSecureWorldIsRefused) {
    for (const uint32_t cpu : {2u, 3u, 0x102u, 0x1'0000u, 0x8000'0001u, ~0u})
        EXPECT_EQ(call(PSCI_CPU_ON, cpu, 0x4000'0000, 0), PSCI_INVALID_PARAMETERS) << std::hex << cpu;
    for (const uint32_t entry : {0u, 0x0e00'0000u, 0x3fff'ffffu, 0x8000'0000u, ~0u})
        EXPECT_EQ(call(PSCI_CPU_ON, 1, entry, 0), PSCI_INVALID_ADDRESS) << std::hex << entry;
    EXPECT_EQ(call(PSCI_AFFINITY_INFO, 1), 1) << "nothing was started";
    EXPECT_EQ(call(PSCI_AFFINITY_INFO, 7), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(call(PSCI_AFFINITY_INFO, 1, 1), PSCI_INVALID_PARAMETERS) << "a cluster";
}

TEST_F(PsciTest, OneStateOfSuspension) {
    EXPECT_EQ(call(PSCI_CPU_SUSPEND, 0), PSCI_SUCCESS);
    EXPECT_EQ(last.then, Then::sleeps);
    EXPECT_EQ(call(PSCI_CPU_SUSPEND, 1u << 16, 0x4000'0000), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(last.then, Then::goes_on);
}

TEST_F(PsciTest, TheBoardsEnd) {
    (void)call(PSCI_SYSTEM_OFF);
    EXPECT_EQ(last.then, Then::ends_system);
    (void)call(PSCI_SYSTEM_RESET);
    EXPECT_EQ(last.then, Then::resets_system);
    board.power = PARTITA_POWER_NONE;
    EXPECT_EQ(call(PSCI_SYSTEM_OFF), PSCI_NOT_SUPPORTED);
    EXPECT_EQ(last.then, Then::goes_on);
    EXPECT_EQ(call(PSCI_FEATURES, PSCI_SYSTEM_RESET), PSCI_NOT_SUPPORTED);
}

// Many ask for the same CPU at once: one of them starts it, with what that one said.
TEST_F(PsciTest, OneOfManyStartsACpu) {
    for (uint32_t round = 0; round < 200; ++round) {
        std::atomic<uint32_t> started{0}, who{0};
        const auto ask = [&](uint32_t self) {
            Call registers{PSCI_CPU_ON, 1, 0x4000'0000 + self * 0x1000, self};
            (void)psci.call(registers, self);
            if (registers.r0 == 0) ++started, who = self;
        };
        {
            std::jthread two{ask, 2}, three{ask, 3}, zero{ask, 0};
        }
        EXPECT_EQ(started, 1u);
        Begin begin{};
        ASSERT_TRUE(psci.taken(1, begin));
        EXPECT_EQ(begin.context, who);
        EXPECT_EQ(begin.entry, 0x4000'0000 + who * 0x1000);
        (void)call(PSCI_CPU_OFF, 0, 0, 0, 1);
    }
}

}  // namespace
}  // namespace partita::monitor
