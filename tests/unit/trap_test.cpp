// Traps, from the syndrome to the state that the guest sees.
#include <gtest/gtest.h>

#include "random.hpp"

#include "arch/syndrome.hpp"
#include "banked.hpp"
#include "fake_system.hpp"
#include "partita/hypercall.h"
#include "trap/handlers.hpp"

namespace partita {
namespace {

class Trap : public testing::Test {
protected:
    Trap() {
        fake_banks = {};
        write_spsr(psr::svc);
        write_elr(0x4000'8000);
    }
    void trap(std::uint32_t syndrome) {
        const Syndrome value{syndrome};
        slept = false;
        try {
            apply(vcpu, dispatch(vcpu, value), value);
        } catch (const Idle&) {
            slept = true;
        }
    }
    bool slept = false;
    void abort(std::uint32_t iss, std::uint32_t address, std::uint64_t ipa) {
        HDFAR::write(address);
        HPFAR::write(static_cast<std::uint32_t>(ipa >> 8 & 0xffff'fff0u));
        trap(0x24u << 26 | 1u << 25 | iss);
    }
    static constexpr std::uint32_t described = 1u << 24, word = 2u << 22, store = 1u << 6, translation = 0x06;
    static constexpr std::uint32_t reg(unsigned n) { return n << 16; }

    FakeSystem fake;
    Vcpu& vcpu = fake.start(0);
};

TEST_F(Trap, ALoadFromADeviceFillsItsRegister) {
    abort(described | word | reg(3) | translation, 0xf000'0004, 0x0800'0004);
    EXPECT_EQ(vcpu.r[3], 2u | 1u << 5);  // GICD_TYPER
    EXPECT_EQ(read_elr(), 0x4000'8004u);
}

TEST_F(Trap, RegistersAreThoseOfTheMode) {
    write_spsr(psr::fiq);
    abort(described | word | reg(9) | translation, 4, 0x0800'0004);
    EXPECT_EQ(read_banked(psr::fiq, 9), 2u | 1u << 5);
    EXPECT_EQ(vcpu.r[9], 0u);
    write_spsr(psr::sys);
    abort(described | word | reg(14) | translation, 4, 0x0800'0004);
    EXPECT_EQ(vcpu.r[13], 2u | 1u << 5);
    write_spsr(psr::irq);
    abort(described | word | reg(13) | translation, 4, 0x0800'0004);
    EXPECT_EQ(read_banked(psr::irq, 13), 2u | 1u << 5);
}

TEST_F(Trap, NarrowLoadsExtendAndBigEndianSwaps) {
    vcpu.partition->distributor.write(vcpu.interrupts, gicd::IPRIORITYR + 50, 1, 0x88);
    abort(described | reg(1) | translation, 0x432, 0x0800'0432);
    EXPECT_EQ(vcpu.r[1], 0x88u);
    abort(described | 1u << 21 | reg(1) | translation, 0x432, 0x0800'0432);
    EXPECT_EQ(vcpu.r[1], 0xffff'ff88u);
    write_spsr(psr::svc | psr::BigEndian::mask);
    abort(described | word | reg(1) | translation, 4, 0x0800'0004);
    EXPECT_EQ(vcpu.r[1], __builtin_bswap32(2u | 1u << 5));
}

TEST_F(Trap, ThumbInstructionsAreSteppedOverWithTheirItBlock) {
    const std::uint32_t thumb = psr::svc | psr::Thumb::mask | psr::ItHigh::make(0b000001) | psr::ItLow::make(0b10);  // ITTE EQ
    write_spsr(thumb | 1u << 30);
    HDFAR::write(4);
    HPFAR::write(0x0800'0000 >> 8);
    trap(0x24u << 26 | described | word | reg(0) | translation);  // IL clear: 2 bytes
    EXPECT_EQ(read_elr(), 0x4000'8002u);
    EXPECT_EQ(it_state(read_spsr()), 0b0000'1100u);
}

TEST_F(Trap, UnmappedAccessesBecomeAbortsInTheGuest) {
    VBAR::write(0x4010'0000);
    abort(described | word | store | reg(0) | translation, 0xc000'0000, 0x1c0f'0000);
    EXPECT_EQ(read_elr(), 0x4010'0010u);
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::abt);
    EXPECT_EQ(fake_banks.spsr_of[psr::abt], psr::svc);
    EXPECT_EQ(read_banked(psr::abt, 14), 0x4000'8008u);
    EXPECT_EQ(DFAR::read(), 0xc000'0000u);
    EXPECT_EQ(DFSR::read(), 0x808u);
}

TEST_F(Trap, AbortsHaveTheFormatOfTheGuestsTables) {
    TTBCR::write(1u << 31);
    abort(described | word | reg(0) | translation, 0xc000'0000, 0x1c0f'0000);
    EXPECT_EQ(DFSR::read(), 0x210u);
    TTBCR::write(0);
}

TEST_F(Trap, OnlyPlainAccessesAreEmulated) {
    vcpu.r[0] = 77;
    abort(described | word | 1u << 8 | reg(0) | translation, 4, 0x0800'0004);  // cache maintenance: nothing to do
    EXPECT_EQ(read_elr(), 0x4000'8004u);
    EXPECT_EQ(vcpu.r[0], 77u);
    abort(described | word | 1u << 7 | reg(0) | translation, 4, 0x0800'0004);  // the guest's tables lie in a device
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::abt);
    EXPECT_EQ(vcpu.r[0], 77u);
    write_spsr(psr::svc);
    abort(described | word | reg(0) | 0x10, 4, 0x0800'0004);  // an external abort: HPFAR is not that of this access
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::abt);
    EXPECT_EQ(vcpu.r[0], 77u);
}

TEST_F(Trap, AnAsynchronousAbortEndsThePartitionAlone) {
    fake.be_cpu(0);
    asynchronous_abort(vcpu);
    EXPECT_EQ(vcpu.partition->phase.load(), Phase::stopping);
    EXPECT_TRUE(vcpu.cpu->reschedule);
    EXPECT_NE(system().partitions[1].phase.load(), Phase::stopping);
}

TEST_F(Trap, PermissionFaultsAreTranslatedAnew) {
    PAR::write(0x0000'0000'0801'0000);  // what ATS1CPR would leave: on the host it does nothing
    abort(described | word | store | reg(0) | 0x0e, 0xc000'0000, 0xdead'0000);
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::abt);
    EXPECT_EQ(PAR::read(), 0x0801'0000u);
    write_spsr(psr::svc), write_elr(0x100);
    PAR::write(1);  // F: the guest changed its tables meanwhile, and tries again
    abort(described | word | store | reg(0) | 0x0e, 0xc000'0000, 0xdead'0000);
    EXPECT_EQ(read_elr(), 0x100u);
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::svc);
}

TEST_F(Trap, AFailedConditionIsSteppedOver) {
    write_spsr(psr::svc);  // Z clear
    const std::uint32_t mrceq = 0x03u << 26 | 1u << 25 | 1u << 24 | 0u << 20 | CoprocessorAccess::key(0, 1, 0, 1) | 2u << 5 | 1;
    vcpu.r[2] = 77;
    trap(mrceq);
    EXPECT_EQ(vcpu.r[2], 77u);
    EXPECT_EQ(read_elr(), 0x4000'8004u);
    write_spsr(psr::svc | 1u << 30);
    trap(mrceq);
    EXPECT_EQ(vcpu.r[2], 0x40u);
}

TEST_F(Trap, UnknownCoprocessorRegistersAreUndefined) {
    trap(0x03u << 26 | 1u << 25 | 1u << 24 | 14u << 20 | CoprocessorAccess::key(0, 15, 0, 0) | 1);
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::und);
    EXPECT_EQ(read_banked(psr::und, 14), 0x4000'8004u);
    EXPECT_EQ(read_elr(), VBAR::read() + 4);
}

TEST_F(Trap, UsersMayNotReadPrivilegedRegisters) {
    write_spsr(psr::usr);
    trap(0x03u << 26 | 1u << 25 | 1u << 24 | 14u << 20 | CoprocessorAccess::key(0, 1, 0, 1) | 1);
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::und);
}

TEST_F(Trap, L2ctlrTellsTheNumberOfVirtualCpus) {
    trap(0x03u << 26 | 1u << 25 | 1u << 24 | 14u << 20 | CoprocessorAccess::key(1, 9, 0, 2) | 4u << 5 | 1);
    EXPECT_EQ(vcpu.r[4], 1u << 24);
}

TEST_F(Trap, ThePhysicalTimerIsEmulated) {
    const auto access = [&](std::uint32_t key, unsigned rt, bool read) {
        trap(0x03u << 26 | 1u << 25 | 1u << 24 | 14u << 20 | key | rt << 5 | (read ? 1u : 0u));
    };
    CNTPCT::write(1000);
    vcpu.r[1] = 500;
    access(CoprocessorAccess::key(0, 14, 2, 0), 1, false);  // TVAL
    vcpu.r[1] = 1;
    access(CoprocessorAccess::key(0, 14, 2, 1), 1, false);  // CTL
    EXPECT_EQ(vcpu.cntp_cval, 1500u);
    EXPECT_EQ(CNTHP_CVAL::read(), 1500u);
    CNTPCT::write(1200);
    access(CoprocessorAccess::key(0, 14, 2, 0), 2, true);
    EXPECT_EQ(vcpu.r[2], 300u);
    CNTPCT::write(1500);
    access(CoprocessorAccess::key(0, 14, 2, 1), 2, true);
    EXPECT_EQ(vcpu.r[2], 5u);
    trap(0x04u << 26 | 1u << 25 | 1u << 24 | 14u << 20 | CoprocessorAccess::key64(2, 14) | 6u << 10 | 5u << 5 | 1);  // mrrc r5, r6
    EXPECT_EQ(vcpu.r[5], 1500u);
    EXPECT_EQ(vcpu.r[6], 0u);
}

TEST_F(Trap, HypercallsAnswerAndKeepTheRest) {
    vcpu.r = {PSCI_VERSION, 1, 2, 3};
    trap(0x12u << 26 | 1u << 25);
    EXPECT_EQ(vcpu.r[0], 0x10001u);
    EXPECT_EQ(vcpu.r[1], 1u);
    EXPECT_EQ(read_elr(), 0x4000'8000u) << "the PC is behind an HVC already";
    vcpu.r[0] = 0xdead'beef;
    trap(0x13u << 26);
    EXPECT_EQ(vcpu.r[0], 0xffff'ffffu);
    EXPECT_EQ(read_elr(), 0x4000'8004u) << "and at an SMC still";
}

TEST_F(Trap, WfiSleepsUnlessSomethingIsPending) {
    trap(0x01u << 26 | 1u << 25 | 1u << 24 | 14u << 20);
    EXPECT_TRUE(slept) << "in Hyp, since nobody shares its CPU";
    EXPECT_EQ(read_elr(), 0x4000'8004u);
    vcpu.partition->distributor.write(vcpu.interrupts, gicd::CTLR, 4, 1);
    vcpu.partition->distributor.write(vcpu.interrupts, gicd::SGIR, 4, 2u << 24 | 1);
    trap(0x01u << 26 | 1u << 25 | 1u << 24 | 14u << 20);
    EXPECT_FALSE(slept);
    vcpu.cpu->alone = false;
    vcpu.partition->distributor.write(vcpu.interrupts, gicd::CPENDSGIR, 4, 0xffff'ffff);
    fake.gic.lr.assign(4, 0);
    trap(0x01u << 26 | 1u << 25 | 1u << 24 | 14u << 20);
    EXPECT_FALSE(slept);
    EXPECT_EQ(vcpu.state, RunState::blocked) << "others may run meanwhile";
}

// HCR.TWE: on the CPU that two share by turns, who waits for an event gives the rest of its turn to the other.
TEST_F(Trap, WfeGivesTheTurnAway) {
    constexpr std::uint32_t wfe = 0x01u << 26 | 1u << 25 | 1u << 24 | 14u << 20 | 1;
    prepare_traps(system().cpus[0]);
    EXPECT_EQ(HCR::read() & hcr::TWE, 0u) << "CPU 0 is not shared";
    trap(wfe);
    EXPECT_FALSE(slept);
    EXPECT_EQ(read_elr(), 0x4000'8004u);
    EXPECT_FALSE(vcpu.cpu->reschedule) << "nobody else wants the CPU";
    Vcpu& other = fake.start(1);
    prepare_traps(*other.cpu);
    EXPECT_NE(HCR::read() & hcr::TWE, 0u);
    Vcpu& second = fake.vcpu(0, 1);
    power_up(second, 0x4000'8000, 0, 0, 0);
    ASSERT_EQ(run_next(*other.cpu), &other);
    const Syndrome value{wfe};
    apply(other, dispatch(other, value), value);
    ASSERT_TRUE(other.cpu->reschedule);
    EXPECT_EQ(run_next(*other.cpu), &second);
    EXPECT_EQ(other.state, RunState::runnable);
}

TEST_F(Trap, VfpRegistersMoveOnFirstUse) {
    fake_hardware.vfp.d[7] = 0x1234;
    vcpu.vfp.d[7] = 0x77;
    trap(0x07u << 26 | 1u << 25 | 1u << 24 | 14u << 20 | 10);
    EXPECT_EQ(fake_hardware.vfp.d[7], 0x77u);
    EXPECT_EQ(vcpu.cpu->vfp_owner, &vcpu);
    EXPECT_EQ(read_elr(), 0x4000'8000u);
}

// Every syndrome, address and state: an outcome, and a guest mode to resume in.
TEST_F(Trap, IsTotal) {
    Random random{9};
    for (int n = 0; n < 500'000; ++n) {
        constexpr std::uint32_t modes[] = {psr::usr, psr::fiq, psr::irq, psr::svc, psr::abt, psr::und, psr::sys};
        write_spsr((random() & ~0x1fu) | modes[random() % 7]);
        for (auto& r : vcpu.r) r = random() % 4 == 0 ? 0x8400'0000u + random() % 16 : random();
        HDFAR::write(random());
        HPFAR::write(random() % 2 == 0 ? random() : 0x0008'0000u + random() % 2 * 0x0001'0000u);
        PAR::write(random());
        trap(random());
        ASSERT_TRUE(is_guest_mode(read_spsr()));
        become(vcpu, RunState::runnable);
        vcpu.partition->phase.store(Phase::running);
    }
}

}  // namespace
}  // namespace partita
