// A partition's lives: loading, running, stopping, again.
#include "partition/lifecycle.hpp"

#include <gtest/gtest.h>

#include "banked.hpp"
#include "fake_system.hpp"
#include "message/hypercall.hpp"
#include "partita/hypercall.h"
#include "partition/loader.hpp"

namespace partita {
namespace {

class Lifecycle : public testing::Test {
protected:
    FakeSystem fake;
    Partition& a = system().partitions[0];
};

TEST_F(Lifecycle, LoadingScrubsCopiesAndPatches) {
    std::memset(fake_hardware.memory(0x4400'0000), 0x11, 100'000);
    const std::byte seed[32]{std::byte{1}};
    system().entropy.with([&](Entropy& entropy) { entropy.feed(seed); });
    begin(a);
    int steps = 0;
    while (!load_step(a)) ASSERT_LT(++steps, 1000);
    EXPECT_GT(steps, 30) << "each step is bounded";
    const std::byte* const memory = fake_hardware.memory(0x4100'0000);
    EXPECT_EQ(memory[0x8000], std::byte{0x11});
    EXPECT_EQ(memory[0x8000 + 99'999], std::byte{0x11});
    EXPECT_EQ(memory[0x8000 + 100'000], std::byte{0});
    EXPECT_EQ(memory[0x1f'ffff], std::byte{0});
    EXPECT_TRUE(std::any_of(memory + 0x100, memory + 0x140, [](std::byte b) { return b != std::byte{0}; }));
    std::size_t cleaned = 0;
    for (const auto& [begin, size] : fake_hardware.cleaned) cleaned += size;
    EXPECT_GE(cleaned, kBlockSize + 100'000) << "what was written is cleaned to the point of coherency";
}

TEST_F(Lifecycle, SeedsDifferFromLifeToLife) {
    const std::byte seed[32]{std::byte{1}};
    system().entropy.with([&](Entropy& entropy) { entropy.feed(seed); });
    std::array<std::array<std::byte, 64>, 2> seen{};
    for (auto& life : seen) {
        begin(a);
        while (!load_step(a)) {
        }
        std::memcpy(life.data(), fake_hardware.memory(0x4100'0100), life.size());
    }
    EXPECT_NE(seen[0], seen[1]);
}

TEST_F(Lifecycle, WithoutEntropyTheSeedIsTakenOut) {
    begin(a);
    while (!load_step(a)) {
    }
    const std::byte* const property = fake_hardware.memory(0x4100'0100 - 12);
    for (int n = 0; n < 76; n += 4) EXPECT_EQ(std::memcmp(property + n, "\0\0\0\4", 4), 0) << n;
}

TEST_F(Lifecycle, TheDeviceTreeTellsTheLifeAndItsReason) {
    FakeSystem with{4, [](tool::Plan& plan) {
                        plan.partitions[0].patches.push_back({tool::platform::ram + 0x200, 4, 12, 16, PARTITA_PATCH_RESET_REASON});
                        plan.partitions[0].patches.push_back({tool::platform::ram + 0x210, 4, 12, 16, PARTITA_PATCH_STARTS});
                    }};
    Partition& partition = system().partitions[0];
    for (std::uint32_t life = 1; life <= 2; ++life) {
        begin(partition);
        while (!load_step(partition)) {
        }
        const std::byte* const memory = fake_hardware.memory(0x4100'0200);
        EXPECT_EQ(memory[3], std::byte{static_cast<unsigned char>(life == 1 ? PARTITA_RESET_POWER_ON : PARTITA_RESET_WATCHDOG)});
        EXPECT_EQ(memory[0x13], std::byte{static_cast<unsigned char>(life)});
        partition.reason = PARTITA_RESET_WATCHDOG;
    }
}

TEST_F(Lifecycle, CpuOnHasOneWinner) {
    fake.start(0);
    EXPECT_EQ(power_on(a, 0, 0x4000'8000, 0), PSCI_ALREADY_ON);
    EXPECT_EQ(power_on(a, 2, 0x4000'8000, 0), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(power_on(a, 1, 0x1000, 0), PSCI_INVALID_ADDRESS);
    EXPECT_EQ(power_on(a, 1, 0x4000'8000, 7), PSCI_SUCCESS);
    EXPECT_EQ(power_on(a, 1, 0x4000'8000, 8), PSCI_ON_PENDING);
    fake.be_cpu(1);
    EXPECT_EQ(run_next(system().cpus[1]), &fake.vcpu(0, 1));
    EXPECT_EQ(fake.vcpu(0, 1).r[0], 7u);
    EXPECT_EQ(read_elr(), 0x4000'8000u);
    fake.be_cpu(0);
    EXPECT_EQ(power_on(a, 1, 0x4000'8000, 9), PSCI_ALREADY_ON);
    EXPECT_EQ(a.live.load(), 2u);
}

// Partition a runs on both CPUs, and b has the turn on CPU 1, which they share.
class TwoCpus : public Lifecycle {
protected:
    TwoCpus() {
        fake.start(1);
        fake.start(0);
        start_second();
        fake.be_cpu(0);
    }
    void start_second() {
        ASSERT_EQ(power_on(a, 1, 0x4000'8000, 0), PSCI_SUCCESS);
        serve_second();
        ASSERT_EQ(second.power.load(), Power::on);
    }
    // CPU 1 serves its inbox, and b goes on.
    void serve_second() {
        fake.be_cpu(1);
        ASSERT_EQ(run_next(*second.cpu), &fake.vcpu(1, 0));
    }
    void turn_second_off() {
        second.r[0] = PSCI_CPU_OFF;
        fake.be_cpu(1);
        hypercall(second);
        serve_second();
    }
    // CPU 0 does, and a lives again.
    void expect_next_life() {
        fake.be_cpu(0);
        EXPECT_EQ(run_next(*first.cpu), &first) << "it is loaded and runs again";
        EXPECT_EQ(a.starts, 2u);
        EXPECT_EQ(a.phase.load(), Phase::running);
        EXPECT_EQ(a.live.load(), 1u);
        EXPECT_EQ(second.power.load(), Power::off);
        start_second();
        EXPECT_EQ(a.live.load(), 2u);
    }
    Vcpu& first = fake.vcpu(0, 0);
    Vcpu& second = fake.vcpu(0, 1);
};

TEST_F(TwoCpus, AResetWaitsForEveryVcpu) {
    fake.gic.physical_active.insert(40);
    end(a, Ending::restart, PARTITA_RESET_GUEST);
    EXPECT_EQ(a.phase.load(), Phase::stopping);
    EXPECT_THROW((void)run_next(*first.cpu), Idle);
    EXPECT_EQ(a.phase.load(), Phase::stopping);
    EXPECT_EQ(first.cpu->loaded, nullptr);
    EXPECT_TRUE(fake.gic.physical_active.contains(40));
    serve_second();
    EXPECT_EQ(a.phase.load(), Phase::loading);
    EXPECT_FALSE(fake.gic.physical_active.contains(40));
    expect_next_life();
}

TEST_F(TwoCpus, AnEndIsAskedOfThoseThatAreOffToo) {
    turn_second_off();
    EXPECT_EQ(second.power.load(), Power::off);
    fake.be_cpu(0);
    end(a, Ending::restart, PARTITA_RESET_GUEST);
    EXPECT_THROW((void)run_next(*first.cpu), Idle);
    EXPECT_EQ(a.phase.load(), Phase::stopping) << "a stop that is still on its way must not reach the next life";
    serve_second();
    expect_next_life();
}

TEST_F(TwoCpus, CpuOffHoldsAtOnce) {
    second.events.fetch_or(event::start);  // another CPU is just telling it something: its inbox and SGI are yet to come
    second.r[0] = PSCI_CPU_OFF;
    fake.be_cpu(1);
    hypercall(second);
    EXPECT_TRUE(second.cpu->reschedule);
    serve_second();
    EXPECT_EQ(second.power.load(), Power::off);
    EXPECT_EQ(second.state, RunState::off);
}

TEST_F(TwoCpus, CpuOnLosesAgainstAnEnd) {
    turn_second_off();
    fake.be_cpu(0);
    ASSERT_EQ(power_on(a, 1, 0x4000'8000, 0), PSCI_SUCCESS);
    end(a, Ending::restart, PARTITA_RESET_GUEST);
    serve_second();
    EXPECT_EQ(second.power.load(), Power::off);
    EXPECT_EQ(second.state, RunState::off);
    fake.be_cpu(0);
    expect_next_life();
}

TEST_F(TwoCpus, CpuOnThatComesAfterTheStopIsDropped) {
    turn_second_off();
    fake.be_cpu(0);
    end(a, Ending::restart, PARTITA_RESET_GUEST);
    serve_second();
    fake.be_cpu(0);
    ASSERT_EQ(power_on(a, 1, 0x4000'8000, 0), PSCI_SUCCESS);  // its caller has not looked yet
    serve_second();
    EXPECT_EQ(second.power.load(), Power::off);
    EXPECT_EQ(second.state, RunState::off);
    expect_next_life();
}

TEST_F(TwoCpus, CpuOnOfAnEarlierLifeIsDropped) {
    turn_second_off();
    fake.be_cpu(0);
    ASSERT_EQ(power_on(a, 1, 0x4000'8000, 0), PSCI_SUCCESS);
    ++a.starts;
    serve_second();
    EXPECT_EQ(second.power.load(), Power::off);
    EXPECT_EQ(second.state, RunState::off);
}

TEST_F(TwoCpus, TheLastCpuOffEndsThePartition) {
    for (Vcpu* const vcpu : {&second, &first}) {
        fake.be_cpu(vcpu->cpu->index);
        EXPECT_EQ(a.phase.load(), Phase::running);
        vcpu->r[0] = PSCI_CPU_OFF;
        hypercall(*vcpu);
        if (vcpu == &second) serve_second();
    }
    EXPECT_THROW((void)run_next(*first.cpu), Idle);
    serve_second();
    EXPECT_EQ(a.phase.load(), Phase::off);
    EXPECT_EQ(system().alive.load(), 1u);
}

TEST_F(TwoCpus, AnAsynchronousAbortIsThatOfTheVcpuThatLeaves) {
    fake.be_cpu(1);
    FakeSystem::end_turns(*second.cpu);
    ASSERT_EQ(run_next(*second.cpu), &second);
    write_elr(0x4000'1234);
    fake_hardware.abort_pending = true;
    FakeSystem::end_turns(*second.cpu);
    ASSERT_EQ(run_next(*second.cpu), &fake.vcpu(1, 0));
    EXPECT_EQ(a.phase.load(), Phase::stopping);
    EXPECT_EQ(system().partitions[1].phase.load(), Phase::running);
}

// What a CPU cached under a VMID is no other vCPU's, and no other life's.
TEST_F(TwoCpus, ANewLifeBeginsWithoutTheOldOnesTranslations) {
    TLBIALL::value = ICIALLU::value = BPIALL::value = 77;
    end(a, Ending::restart, PARTITA_RESET_GUEST);
    EXPECT_THROW((void)run_next(*first.cpu), Idle);
    serve_second();
    fake.be_cpu(0);
    ASSERT_EQ(run_next(*first.cpu), &first);
    EXPECT_EQ(TLBIALL::value, 0u);
    EXPECT_EQ(ICIALLU::value, 0u);
    EXPECT_EQ(BPIALL::value, 0u);
}

// A partition that resets itself without end does not fill the log.
TEST_F(Lifecycle, RestartsAreReportedAtABoundedRate) {
    fake.start(0);
    Vcpu& first = fake.vcpu(0, 0);
    for (int n = 0; n < 30; ++n) {
        end(a, Ending::restart, PARTITA_RESET_GUEST);
        EXPECT_THROW((void)run_next(*first.cpu), Idle);
        fake.be_cpu(1);
        EXPECT_THROW((void)run_next(system().cpus[1]), Idle);
        fake.be_cpu(0);
        ASSERT_EQ(run_next(*first.cpu), &first);
    }
    EXPECT_EQ(a.starts, 31u);
    EXPECT_GT(a.suppressed.load(), 40u);
}

TEST_F(Lifecycle, AnEndIsAskedForOnce) {
    fake.start(0);
    end(a, Ending::off, PARTITA_RESET_GUEST);
    end(a, Ending::restart, PARTITA_RESET_GUEST);
    EXPECT_EQ(a.ending.load(), Ending::off);
}

// Nothing of one partition's registers is left for the next one on the CPU.
TEST_F(Lifecycle, RegistersTravelWithTheirVcpu) {
    fake.start(0);
    ASSERT_EQ(power_on(a, 1, 0x4000'8000, 0), PSCI_SUCCESS);
    fake.be_cpu(1);
    Cpu& cpu = system().cpus[1];
    ASSERT_EQ(run_next(cpu), &fake.vcpu(0, 1));
    SCTLR::write(0x1111), TTBR0::write(0x2222), PAR::write(0x3333), TPIDRPRW::write(0x4444), CNTKCTL::write(0x5555), VBAR::write(0x6666),
        CSSELR::write(0x7777);
    fake_hardware.banked.sp_svc = 0x8888;
    CNTV_CVAL::write(0x9999), CNTV_CTL::write(1);
    fake.be_cpu(1);
    begin(system().partitions[1]);
    enter(system().partitions[1]);
    become(fake.vcpu(0, 1), RunState::blocked);
    ASSERT_EQ(run_next(cpu), &fake.vcpu(1, 0));
    EXPECT_NE(SCTLR::read(), 0x1111u);
    EXPECT_EQ(TTBR0::read(), 0u);
    EXPECT_EQ(PAR::read(), 0u);
    EXPECT_EQ(TPIDRPRW::read(), 0u);
    EXPECT_EQ(CNTKCTL::read(), 0u);
    EXPECT_EQ(VBAR::read(), 0u);
    EXPECT_EQ(CSSELR::read(), 0u);
    EXPECT_EQ(fake_hardware.banked.sp_svc, 0u);
    EXPECT_EQ(CNTV_CTL::read(), 0u);
    EXPECT_EQ(VTTBR::read() >> 48, 2u);
    become(fake.vcpu(1, 0), RunState::blocked);
    become(fake.vcpu(0, 1), RunState::runnable);
    ASSERT_EQ(run_next(cpu), &fake.vcpu(0, 1));
    EXPECT_EQ(SCTLR::read(), 0x1111u);
    EXPECT_EQ(TTBR0::read(), 0x2222u);
    EXPECT_EQ(PAR::read(), 0x3333u);
    EXPECT_EQ(TPIDRPRW::read(), 0x4444u);
    EXPECT_EQ(CNTKCTL::read(), 0x5555u);
    EXPECT_EQ(VBAR::read(), 0x6666u);
    EXPECT_EQ(CSSELR::read(), 0x7777u);
    EXPECT_EQ(fake_hardware.banked.sp_svc, 0x8888u);
    EXPECT_EQ(CNTV_CVAL::read(), 0x9999u);
    EXPECT_EQ(CNTV_CTL::read(), 1u);
}

// One vCPU, whose partition ends as often as it is asked to.
class Limited : public testing::Test {
protected:
    FakeSystem fake{4, [](tool::Plan& plan) { plan.partitions[1].restart_limit = 2, plan.partitions[1].restart_period_ms = 1000; }};
    Partition& b = system().partitions[1];
    static constexpr timer::Ticks second = 62'500'000;

    // Whether it begins another life.
    bool again() {
        fake.be_cpu(1);
        end(b, Ending::restart, PARTITA_RESET_FAULT);
        run_until_idle();
        if (b.phase.load() != Phase::loading) return false;
        enter(b);
        return true;
    }
    void run_until_idle() {
        Cpu& cpu = system().cpus[1];
        while (posted(cpu)) serve_inbox(cpu);
    }
};

TEST_F(Limited, SoManyRestartsInAPeriodAndNoMore) {
    fake.start(1);
    EXPECT_TRUE(again());
    EXPECT_TRUE(again());
    CNTPCT::write(CNTPCT::read() + second + 1);
    EXPECT_TRUE(again()) << "a new period";
    EXPECT_TRUE(again());
    EXPECT_FALSE(again());
    EXPECT_EQ(b.phase.load(), Phase::off);
}

TEST_F(Limited, AHaltReachesThoseThatAreJustBeingLoaded) {
    fake.start(0);
    fake.be_cpu(1);
    begin(b);
    fake.be_cpu(0);
    halt_system();
    EXPECT_EQ(system().partitions[0].phase.load(), Phase::stopping);
    fake.be_cpu(1);
    enter(b);
    run_until_idle();
    EXPECT_EQ(b.phase.load(), Phase::off);
}

}  // namespace
}  // namespace partita
