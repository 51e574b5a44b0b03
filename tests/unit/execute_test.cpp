// Loads and stores that the syndrome does not describe: read by the guest's own translation, decoded and carried out. What qemu-arm
// can check is in tests/decoder; here is the rest: devices, modes and their banks, the guest's own faults, and a guest that changes
// things meanwhile.
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "arch/errata.hpp"
#include "banked.hpp"
#include "fake_system.hpp"
#include "trap/execute.hpp"
#include "trap/handlers.hpp"

namespace partita {
namespace {

constexpr std::uint32_t code = 0x4010'0000, data = 0x4011'0000, gicd = 0x0800'0000, priorities = gicd + 0x420;

// Pages that the guest has mapped elsewhere, or not at all; all others lie where they are.
class Tables : public FakeTranslation {
public:
    std::map<std::uint32_t, std::uint64_t> par;
    std::map<std::uint32_t, bool> privileged_only;
    std::uint64_t translate(std::uint32_t address, bool, bool privileged) override {
        if (privileged_only.contains(address >> 12) && !privileged) return 0x0fu << 1 | 1u;  // permission, level 3
        const auto found = par.find(address >> 12);
        return found != par.end() ? found->second : address & ~0xfffu;
    }
};

class Execute : public testing::Test {
protected:
    Execute() {
        fake_banks = {};
        fake_translation = &tables;
        write_spsr(psr::svc);
        write_elr(code);
        VBAR::write(0x4018'0000);
        TTBCR::write(0);
    }
    ~Execute() override { fake_translation = nullptr; }
    Execute(const Execute&) = delete;
    Execute& operator=(const Execute&) = delete;

    [[nodiscard]] std::byte* memory(std::uint32_t ipa) {
        return fake_hardware.memory(vcpu.partition->regions[0].pa + (ipa - vcpu.partition->regions[0].ipa));
    }
    void put(std::uint32_t ipa, std::uint32_t value, unsigned size = 4) { std::memcpy(memory(ipa), &value, size); }
    [[nodiscard]] std::uint32_t at(std::uint32_t ipa) {
        std::uint32_t value;
        std::memcpy(&value, memory(ipa), 4);
        return value;
    }
    // The instruction traps at `address`, undescribed.
    void trap(std::uint32_t address, bool write = false, std::uint32_t page = gicd) {
        HDFAR::write(address);
        HPFAR::write(page >> 8);
        const Syndrome syndrome{0x24u << 26 | 1u << 25 | (write ? 1u << 6 : 0) | 0x06u};
        apply(vcpu, dispatch(vcpu, syndrome), syndrome);
    }
    void a32(std::uint32_t instruction) { put(code, instruction); }
    void t32(std::uint32_t instruction) {
        put(code, instruction >> 16 | instruction << 16);
        write_spsr(read_spsr() | psr::Thumb::mask);
    }
    [[nodiscard]] std::uint32_t priority(std::uint32_t offset) {
        return vcpu.partition->distributor.read(vcpu.interrupts, offset - gicd, 4);
    }

    FakeSystem fake;
    Tables tables;
    Vcpu& vcpu = fake.start(0);
};

TEST_F(Execute, APairToADevice) {
    a32(0xe1c420f0);  // strd r2, r3, [r4]
    vcpu.r[4] = priorities, vcpu.r[2] = 0x1020'3040, vcpu.r[3] = 0x5060'7080;
    trap(priorities, true);
    EXPECT_EQ(priority(priorities), 0x1020'3040u);
    EXPECT_EQ(priority(priorities + 4), 0x5060'7080u);
    EXPECT_EQ(read_elr(), code + 4);
}

TEST_F(Execute, MultipleRegistersFromADeviceInThumbWithWriteBack) {
    vcpu.partition->distributor.write(vcpu.interrupts, priorities - gicd, 4, 0x1020'3040);
    vcpu.partition->distributor.write(vcpu.interrupts, priorities + 4 - gicd, 4, 0x5060'7080);
    put(code, 0xc803, 2);  // ldmia r0!, {r0, r1}: r0 is loaded, so it is not written back
    write_spsr(psr::svc | psr::Thumb::mask);
    vcpu.r[0] = priorities;
    trap(priorities);
    EXPECT_EQ(vcpu.r[0], 0x1020'3040u);
    EXPECT_EQ(vcpu.r[1], 0x5060'7080u);
    EXPECT_EQ(read_elr(), code + 2);
    write_elr(code);
    put(code, 0xcc03, 2);  // ldmia r4!, {r0, r1}
    vcpu.r[4] = priorities;
    trap(priorities);
    EXPECT_EQ(vcpu.r[4], priorities + 8);
}

TEST_F(Execute, AWordAcrossTwoRegistersIsItsBytes) {
    a32(0xe5943000);  // ldr r3, [r4]
    vcpu.partition->distributor.write(vcpu.interrupts, priorities - gicd, 4, 0x1020'3040);
    vcpu.partition->distributor.write(vcpu.interrupts, priorities + 4 - gicd, 4, 0x5060'7080);
    vcpu.r[4] = priorities + 2;
    trap(priorities + 2);
    EXPECT_EQ(vcpu.r[3], 0x7080'1020u);
}

TEST_F(Execute, FromMemoryIntoADeviceThatFollowsIt) {
    tables.par[(data + 0x1000) >> 12] = gicd;  // the page behind `data` is the distributor
    put(data + 0xffc, 0x1234'5678);
    a32(0xe8940006);  // ldm r4, {r1, r2}
    vcpu.r[4] = data + 0xffc;
    trap(data + 0x1000);
    EXPECT_EQ(vcpu.r[1], 0x1234'5678u);
    EXPECT_EQ(vcpu.r[2], vcpu.partition->distributor.read(vcpu.interrupts, 0, 4));
    a32(0xe5843000);  // str r3, [r4], over the border
    write_elr(code);
    vcpu.r[4] = data + 0xffe, vcpu.r[3] = 0xaabb'0001;
    trap(data + 0x1000, true);
    EXPECT_EQ(at(data + 0xffc), 0x0001'5678u);
}

TEST_F(Execute, NothingChangesWhereAnElementIsRefused) {
    tables.par[(data + 0x1000) >> 12] = gicd;
    tables.par[(data + 0x2000) >> 12] = 0x1c0f'0000;
    a32(0xe8b40003 | 1u << 20);  // ldmia r4!, {r0, r1}
    vcpu.r[4] = data + 0x1ffc, vcpu.r[0] = 1, vcpu.r[1] = 2;
    trap(data + 0x1ffc);
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::abt);
    EXPECT_EQ(DFAR::read(), data + 0x2000);
    EXPECT_EQ(DFSR::read(), 0x008u);
    EXPECT_EQ(vcpu.r[4], data + 0x1ffc);
    EXPECT_EQ(vcpu.r[0], 1u);
}

TEST_F(Execute, TheGuestsOwnTranslationFaultsAreItsOwn) {
    tables.par[(data + 0x1000) >> 12] = gicd;
    a32(0xe8840003);  // stmia r4, {r0, r1}
    const struct {
        std::uint64_t par;
        bool extended;
        std::uint32_t status;
    } cases[] = {{0x06u << 1 | 1u, false, 0x807},
                 {0x05u << 1 | 1u, false, 0x805},
                 {0x0du << 1 | 1u, false, 0x80d},
                 {0x0eu << 1 | 1u, false, 0x80f},
                 {0x09u << 1 | 1u, false, 0x803},
                 {0x3du << 1 | 1u, false, 0x809},
                 {0x07u << 1 | 1u, true, 0x800 | 1u << 9 | 0x07}};
    for (const auto& one : cases) {
        tables.par[(data + 0x2000) >> 12] = one.par;
        TTBCR::write(one.extended ? 1u << 31 : 0);
        write_spsr(psr::svc);
        write_elr(code);
        vcpu.r[4] = data + 0x1ffc;
        trap(data + 0x1ffc, true);
        EXPECT_EQ(DFSR::read(), one.status) << std::hex << one.par;
        EXPECT_EQ(DFAR::read(), data + 0x2000);
    }
    TTBCR::write(0);
}

TEST_F(Execute, ParStaysTheGuests) {
    PAR::write(0x1122'3344'5566'7788);
    a32(0xe1c420d0);  // ldrd r2, r3, [r4]
    vcpu.r[4] = gicd;
    trap(gicd);
    EXPECT_EQ(read_elr(), code + 4);
    EXPECT_EQ(PAR::read(), 0x1122'3344'5566'7788u);
}

TEST_F(Execute, UnprivilegedAccessesAskForUserMode) {
    tables.privileged_only[gicd >> 12] = true;
    a32(0xe4b43004);  // ldrt r3, [r4], #4
    vcpu.r[4] = gicd;
    trap(gicd);
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::abt);
    EXPECT_EQ(DFSR::read(), 0x00du);
    EXPECT_EQ(vcpu.r[4], gicd);
    write_spsr(psr::svc);
    write_elr(code);
    a32(0xe4943004);  // ldr r3, [r4], #4
    trap(gicd);
    EXPECT_EQ(vcpu.r[4], gicd + 4);
}

TEST_F(Execute, EveryModeHasItsBanks) {
    vcpu.partition->distributor.write(vcpu.interrupts, priorities - gicd, 4, 0x1020'3040);
    for (const std::uint32_t mode : {psr::usr, psr::fiq, psr::irq, psr::svc, psr::abt, psr::und, psr::sys}) {
        write_spsr(mode);
        write_elr(code);
        vcpu.r.fill(7);
        a32(0xe8946000 | 1u << 20);  // ldm r4, {sp, lr}
        vcpu.r[4] = priorities;
        vcpu.partition->distributor.write(vcpu.interrupts, priorities + 4 - gicd, 4, 0x5060'7080);
        trap(priorities);
        const bool user = mode == psr::usr || mode == psr::sys;
        EXPECT_EQ(user ? read_banked(psr::usr, 13) : read_banked(mode, 13), 0x1020'3040u) << mode;
        EXPECT_EQ(user ? vcpu.r[13] : read_banked(mode, 14), 0x5060'7080u) << mode;
    }
    write_spsr(psr::fiq);
    write_elr(code);
    a32(0xe8d46100);  // ldm r4, {r8, sp, lr} ^: User mode's
    vcpu.r[4] = priorities;
    trap(priorities);
    EXPECT_EQ(vcpu.r[8], 0x1020'3040u);
    EXPECT_EQ(read_banked(psr::usr, 13), 0x5060'7080u);
    EXPECT_NE(read_banked(psr::fiq, 8), 0x1020'3040u);
}

TEST_F(Execute, AnExceptionReturnTakesTheModesSpsr) {
    vcpu.partition->distributor.write(vcpu.interrupts, priorities - gicd, 4, 0x4010'2038);
    write_spsr(psr::irq);
    write_spsr_of(psr::irq, psr::usr | psr::Thumb::mask);
    a32(0xe8d48000);  // ldm r4, {pc} ^
    vcpu.r[4] = priorities;
    trap(priorities);
    EXPECT_EQ(read_elr(), 0x4010'2038u);
    EXPECT_EQ(read_spsr(), psr::usr | psr::Thumb::mask);
    write_spsr(psr::irq);
    write_elr(code);
    write_spsr_of(psr::irq, 0x1a);  // Hyp mode
    trap(priorities);
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::irq);
}

// An exception return with an IT block in A32, or in Jazelle state, is UNPREDICTABLE: no guest may make Hyp do that.
TEST_F(Execute, NoStateIsReturnedToThatThereIsNot) {
    vcpu.partition->distributor.write(vcpu.interrupts, priorities - gicd, 4, 0x4010'2038);
    write_spsr(psr::irq);
    write_spsr_of(psr::irq, psr::usr | psr::Jazelle::mask | psr::ItHigh::mask | psr::ItLow::mask);
    a32(0xe8d48000);  // ldm r4, {pc} ^
    vcpu.r[4] = priorities;
    trap(priorities);
    EXPECT_EQ(read_spsr(), psr::usr);
    write_elr(code);
    write_spsr(psr::svc | psr::ItHigh::make(1) | 1u << 30);  // ITT EQ
    t32(0xf8d4'f000);                                        // ldreq.w pc, [r4], with another one behind it: to A32
    trap(priorities);
    EXPECT_EQ(read_elr(), 0x4010'2038u);
    EXPECT_EQ(read_spsr(), psr::svc | 1u << 30);
}

TEST_F(Execute, TablesOfTheGuestInNothingAreNoLoop) {
    tables.par[(data + 0x1000) >> 12] = gicd;
    tables.par[(data + 0x2000) >> 12] = 1u << 9 | 0x15u << 1 | 1u;  // stage 2 refused the walk
    a32(0xe8840003);                                                // stmia r4, {r0, r1}
    vcpu.r[4] = data + 0x1ffc;
    trap(data + 0x1ffc, true);
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::abt);
    EXPECT_EQ(DFAR::read(), data + 0x2000);
}

TEST_F(Execute, ExclusiveStoresSucceedBehindTheirLoad) {
    vcpu.r[4] = priorities, vcpu.r[3] = 0x5060'7080;
    a32(0xe1841f93);  // strex r1, r3, [r4]
    trap(priorities, true);
    EXPECT_EQ(vcpu.r[1], 1u);
    EXPECT_EQ(priority(priorities), 0u);
    write_elr(code);
    a32(0xe1942f9f);  // ldrex r2, [r4]
    trap(priorities);
    write_elr(code);
    a32(0xe1841f93);
    trap(priorities, true);
    EXPECT_EQ(vcpu.r[1], 0u);
    EXPECT_EQ(priority(priorities), 0x5060'7080u);
    write_elr(code);
    trap(priorities, true);
    EXPECT_EQ(vcpu.r[1], 1u) << "once";
}

TEST_F(Execute, VfpRegistersThatAreNotThisOnesAreLeftAlone) {
    a32(0xed941b00);  // vldr d1, [r4]
    vcpu.r[4] = gicd;
    vcpu.cpu->vfp_owner = nullptr;
    trap(gicd);
    EXPECT_EQ(read_elr(), code) << "it tries again";
    vcpu.cpu->vfp_owner = &vcpu;
    fake_hardware.vfp.fpexc = 0;  // disabled: Hyp would take an exception of its own
    trap(gicd);
    EXPECT_EQ(read_elr(), code);
    fake_hardware.vfp.fpexc = 1u << 30;
    trap(gicd);
    EXPECT_EQ(read_elr(), code + 4);
    EXPECT_EQ(static_cast<std::uint32_t>(fake_hardware.vfp.d[1] >> 32), vcpu.partition->distributor.read(vcpu.interrupts, 4, 4));
}

TEST_F(Execute, AnInstructionThatWasReplacedIsTriedAgain) {
    vcpu.r[4] = gicd;
    a32(0xe1a00000);  // mov r0, r0
    trap(gicd);
    EXPECT_EQ(read_elr(), code);
    EXPECT_EQ(read_spsr(), psr::svc);
    a32(0x01c420d0);  // ldrdeq, and Z is clear
    trap(gicd);
    EXPECT_EQ(read_elr(), code);
    tables.par[code >> 12] = 0x06u << 1 | 1u;  // its page is not mapped any more
    trap(gicd);
    EXPECT_EQ(read_elr(), code);
    tables.par[code >> 12] = 0x1c0f'0000;  // ... or is nothing of this partition's
    trap(gicd);
    EXPECT_EQ(read_elr(), code);
}

TEST_F(Execute, AThumbInstructionMayLieOnTwoPages) {
    write_elr(code + 0xffe);
    write_spsr(psr::svc | psr::Thumb::mask);
    put(code + 0xffe, 0xe9d4, 2);
    put(code + 0x1000, 0x2300, 2);  // ldrd r2, r3, [r4]
    vcpu.r[4] = gicd;
    trap(gicd);
    EXPECT_EQ(read_elr(), code + 0x1002);
    EXPECT_EQ(vcpu.r[3], vcpu.partition->distributor.read(vcpu.interrupts, 4, 4));
}

TEST_F(Execute, WhatIsNotEmulatedIsAnAbort) {
    for (const std::uint32_t instruction : {0xedd4'5e00u /* ldc p14 */, 0xf420'078fu /* vld1 */, 0xf894'0a00u /* rfe */}) {
        write_spsr(psr::svc);
        write_elr(code);
        a32(instruction);
        trap(gicd);
        EXPECT_EQ(psr::Mode::get(read_spsr()), psr::abt) << std::hex << instruction;
    }
}

// Each stays inside: assigned devices and the GIC's virtual interface are not memory that a window may show.
TEST_F(Execute, ElementsInDevicesOfTheBoardAreRefused) {
    tables.par[(data + 0x1000) >> 12] = tool::platform::gicc;
    tables.par[data >> 12] = gicd;
    a32(0xe8840003);  // stmia r4, {r0, r1}
    vcpu.r[4] = data + 0xffc;
    trap(data + 0xffc, true);
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::abt);
    EXPECT_EQ(DFAR::read(), data + 0x1000);
}

TEST(Errata, TheOneOfThumbStoresIsThatOfFiveReleases) {
    EXPECT_TRUE(applies(wrong_thumb_store, 0x410f'c0f4));
    EXPECT_TRUE(applies(wrong_thumb_store, 0x410f'c0f0));
    EXPECT_FALSE(applies(wrong_thumb_store, 0x410f'c0f5));
    EXPECT_FALSE(applies(wrong_thumb_store, 0x412f'c0f1));  // r2p1
    EXPECT_FALSE(applies(wrong_thumb_store, 0x410f'c074));  // Cortex-A7
    EXPECT_FALSE(applies(wrong_thumb_store, 0x420f'c0f4));  // another implementer
}

TEST_F(Execute, WhereTheSyndromeMayBeWrongTheInstructionIsAsked) {
    t32(0xf8c4'3000);  // str.w r3, [r4]
    vcpu.r[4] = priorities, vcpu.r[3] = 0x1020'3040, vcpu.r[9] = 0x5050'5050;
    const Syndrome wrong{0x24u << 26 | 1u << 25 | 1u << 24 | 2u << 22 | 9u << 16 | 1u << 6 | 0x06u};
    HDFAR::write(priorities);
    HPFAR::write(gicd >> 8);
    vcpu.cpu->wrong_thumb_store = true;
    apply(vcpu, dispatch(vcpu, wrong), wrong);
    EXPECT_EQ(priority(priorities), 0x1020'3040u);
    EXPECT_EQ(read_elr(), code + 4);
}

}  // namespace
}  // namespace partita
