// What a partition may ask for, and what it gets.
#include "message/hypercall.hpp"

#include <gtest/gtest.h>

#include "fake_system.hpp"
#include "partita/hypercall.h"
#include "random.hpp"
#include "schedule/frame.hpp"

namespace partita {
namespace {

class Hypercall : public testing::Test {
protected:
    FakeSystem fake;
    Vcpu& vcpu = fake.start(0);

    std::uint32_t call(std::uint32_t function, std::uint32_t a = 0x1111, std::uint32_t b = 0x2222, std::uint32_t c = 0x3333) {
        vcpu.r[0] = function, vcpu.r[1] = a, vcpu.r[2] = b, vcpu.r[3] = c;
        hypercall(vcpu);
        return vcpu.r[0];
    }
    [[nodiscard]] std::uint64_t pair(unsigned n) const { return std::uint64_t{vcpu.r[n + 1]} << 32 | vcpu.r[n]; }
};

constexpr auto not_supported = static_cast<std::uint32_t>(SMCCC_NOT_SUPPORTED);

TEST_F(Hypercall, SaysWhoItIs) {
    EXPECT_EQ(call(SMCCC_VERSION), 0x10001u);
    EXPECT_EQ(call(PARTITA_HYPERCALL_UID), PARTITA_UID_0);
    EXPECT_EQ(vcpu.r[3], PARTITA_UID_3);
    EXPECT_EQ(call(PARTITA_HYPERCALL_VERSION), PARTITA_VERSION_MAJOR);
    EXPECT_EQ(vcpu.r[1], PARTITA_VERSION_MINOR);
    EXPECT_EQ(vcpu.r[2], 0x2222u) << "what is no result stays";
}

TEST_F(Hypercall, TellsWhichVirtualCpusAreOn) {
    EXPECT_EQ(call(PSCI_AFFINITY_INFO, 0, 0), 0u) << "on";
    EXPECT_EQ(call(PSCI_AFFINITY_INFO, 1, 0), 1u) << "off";
    ASSERT_EQ(call(PSCI_CPU_ON, 1, 0x4000'8000), 0u);
    EXPECT_EQ(call(PSCI_AFFINITY_INFO, 1, 0), 2u) << "on its way";
    EXPECT_EQ(static_cast<std::int32_t>(call(PSCI_CPU_ON, 1, 0x4000'8000)), PSCI_ON_PENDING);
    EXPECT_EQ(static_cast<std::int32_t>(call(PSCI_CPU_ON, 0, 0x4000'8000)), PSCI_ALREADY_ON);
    EXPECT_EQ(static_cast<std::int32_t>(call(PSCI_AFFINITY_INFO, 2, 0)), PSCI_INVALID_PARAMETERS);
}

TEST_F(Hypercall, SomeAreOfferedAndAllOthersAreNot) {
    EXPECT_EQ(call(PSCI_FEATURES, PSCI_CPU_ON), 0u);
    EXPECT_EQ(call(PSCI_FEATURES, 0x8400'0099), not_supported);
    EXPECT_EQ(call(PSCI_MIGRATE_INFO_TYPE), 2u);
    Random random{9};
    for (int n = 0; n < 20'000; ++n) {
        const std::uint32_t function = random();
        if ((function & 0xff00'0000u) == 0x8400'0000u || (function & 0xffff'ff00u) == 0x8600'ff00u ||
            (function & 0xffff'0000u) == 0x8000'0000u)
            continue;
        ASSERT_EQ(call(function), not_supported) << std::hex << function;
        ASSERT_EQ(vcpu.r[1], 0x1111u);
    }
}

TEST_F(Hypercall, OnlyWhoManagesChangesTheSchedule) {
    system().schedules = 2;
    EXPECT_EQ(static_cast<std::int32_t>(call(PARTITA_HYPERCALL_SCHEDULE, 1)), PSCI_DENIED);
    EXPECT_EQ(vcpu.r[1], 0u) << "what is wanted now";
    EXPECT_EQ(call(PARTITA_HYPERCALL_SCHEDULE, ~0u), 0u) << "to look is not to change";
    EXPECT_EQ(vcpu.r[2], 2u);
    vcpu.partition->guest.flags |= PARTITA_RIGHT_MANAGE;
    EXPECT_EQ(call(PARTITA_HYPERCALL_SCHEDULE, 1), 0u);
    EXPECT_EQ(vcpu.r[1], 1u);
    system().schedule_change.want(0);
}

TEST_F(Hypercall, TellsTimeAndWindow) {
    vcpu.ran = 5, vcpu.stolen = 0x1'0000'0003;
    (void)call(PARTITA_HYPERCALL_TIME);
    EXPECT_EQ(pair(2), 0x1'0000'0003u) << "what others had while it could run";
    (void)call(PARTITA_HYPERCALL_WINDOW);
    EXPECT_EQ(pair(2), timer::never) << "without windows its time does not end";
}

TEST_F(Hypercall, AnEndIsThePartitionsOwn) {
    (void)call(PSCI_SYSTEM_RESET);
    EXPECT_EQ(vcpu.partition->phase.load(), Phase::stopping);
    EXPECT_EQ(vcpu.partition->ending.load(), Ending::restart);
    EXPECT_NE(system().partitions[1].phase.load(), Phase::stopping);
}

}  // namespace
}  // namespace partita
