#include "schedule/schedule.hpp"

#include <gtest/gtest.h>

#include "fake_system.hpp"

namespace partita {
namespace {

// CPU 1 is shared by a's second vCPU and b's first; its slice is 5 ms of 62.5 MHz.
class Schedule : public testing::Test {
protected:
    static constexpr timer::Ticks slice = 312'500;

    Schedule() {
        fake.be_cpu(1);
        become(one, RunState::runnable);
        become(two, RunState::runnable);
    }
    FakeSystem fake;
    Cpu& cpu = system().cpus[1];
    Vcpu& one = fake.vcpu(0, 1);
    Vcpu& two = fake.vcpu(1, 0);
};

TEST_F(Schedule, TurnsAreSlices) {
    EXPECT_EQ(cpu.slice, slice);
    Vcpu* const first = pick(cpu, 1000);
    EXPECT_EQ(pick(cpu, 1000 + slice - 1), first);
    Vcpu* const second = pick(cpu, 1000 + slice);
    EXPECT_NE(second, first);
    EXPECT_EQ(pick(cpu, 1000 + 2 * slice), first);
}

TEST_F(Schedule, ABlockedOneGivesItsTurnAway) {
    ASSERT_EQ(pick(cpu, 0), &one);
    become(one, RunState::blocked);
    EXPECT_EQ(pick(cpu, 10), &two);
    EXPECT_EQ(next_deadline(cpu), timer::never) << "nobody waits for its slice's end";
    become(two, RunState::blocked);
    EXPECT_EQ(pick(cpu, 20), nullptr);
}

// The order of bits is that of urgency: set_up() sorts them, and here the second is made less urgent by hand.
TEST_F(Schedule, TheMostUrgentRunsAtOnceAndTheOtherGoesOn) {
    two.priority = 1;
    one.equals = one.bit, two.equals = two.bit;
    Vcpu& urgent = one.bit < two.bit ? one : two;
    Vcpu& other = one.bit < two.bit ? two : one;
    become(urgent, RunState::blocked);
    ASSERT_EQ(pick(cpu, 0), &other);
    become(urgent, RunState::runnable);
    EXPECT_EQ(pick(cpu, 1), &urgent) << "in the middle of the other's slice";
    EXPECT_EQ(pick(cpu, slice * 3), &urgent);
    cpu.loaded = &urgent;
    EXPECT_EQ(next_deadline(cpu), timer::never) << "no slice ends while an urgent one runs";
    become(urgent, RunState::blocked);
    EXPECT_EQ(pick(cpu, slice * 3), &other);
}

TEST_F(Schedule, AloneItKeepsTheCpu) {
    become(two, RunState::off);
    ASSERT_EQ(pick(cpu, 0), &one);
    EXPECT_EQ(pick(cpu, slice * 3), &one);
    cpu.loaded = &one;
    EXPECT_EQ(next_deadline(cpu), timer::never) << "a CPU of one vCPU takes no timer interrupt for scheduling";
}

TEST_F(Schedule, LooksAgainWhenTheSliceEndsOrASleeperIsDue) {
    ASSERT_EQ(pick(cpu, 0), &one);
    cpu.loaded = &one;
    EXPECT_EQ(next_deadline(cpu), slice);
    become(two, RunState::blocked);
    ASSERT_EQ(pick(cpu, 1), &one);
    two.cntv_ctl = timer_control::enable | timer_control::masked;
    two.cntv_cval = 777;
    note_sleeper(cpu, two);
    EXPECT_EQ(next_deadline(cpu), timer::never);
    two.cntv_ctl = timer_control::enable;
    note_sleeper(cpu, two);
    EXPECT_EQ(next_deadline(cpu), 777u);
    two.cntp_ctl = timer_control::enable;
    two.cntp_cval = 555;
    note_sleeper(cpu, two);
    EXPECT_EQ(next_deadline(cpu), 555u);
}

TEST_F(Schedule, ASleeperWakesWhenItsTimerIsDue) {
    ASSERT_EQ(pick(cpu, 0), &one);
    become(two, RunState::blocked);
    two.cntv_ctl = timer_control::enable;
    two.cntv_cval = 777;
    note_sleeper(cpu, two);
    expire(cpu, 776);
    EXPECT_EQ(two.state, RunState::blocked);
    expire(cpu, 777);
    EXPECT_EQ(two.state, RunState::runnable);
}

TEST_F(Schedule, PostsInterruptTheOtherCpuOnce) {
    fake.be_cpu(0);
    fake.gic.sgis.clear();
    post(one, event::start);
    post(one, event::start);
    post(two, event::stop);
    EXPECT_EQ(fake.gic.sgis, (std::vector<std::uint32_t>{2u << 16 | intid::sgi_post}));
    EXPECT_EQ(cpu.inbox.load(), one.bit | two.bit);
    post_look(one);
    post_look(two);
    EXPECT_EQ(fake.gic.sgis.size(), 2u) << "one more for both";
    EXPECT_EQ(cpu.looks.load(), one.bit | two.bit);
}

TEST_F(Schedule, AnEmulatedTimerHasALevel) {
    fake.be_cpu(0);
    Vcpu& vcpu = fake.start(0);
    vcpu.cntp_ctl = timer_control::enable;
    vcpu.cntp_cval = 500;
    settle_physical_timer(vcpu, 499);
    EXPECT_EQ(vcpu.cntp_ctl, timer_control::enable);
    settle_physical_timer(vcpu, 500);
    EXPECT_EQ(vcpu.cntp_ctl, timer_control::enable | timer_control::status);
    EXPECT_EQ(vcpu.partition->distributor.read(vcpu.interrupts, gicd::ISPENDR, 4), 1u << 30);
    vcpu.cntp_ctl |= timer_control::masked;
    settle_physical_timer(vcpu, 501);
    EXPECT_EQ(vcpu.partition->distributor.read(vcpu.interrupts, gicd::ISPENDR, 4), 0u);
}

// Otherwise one that sleeps and wakes all the time would cost others more than its budget.
TEST(ScheduleCosts, EachActivationIsPaidFromTheBudget) {
    FakeSystem fake{4, [](tool::Plan& plan) {
                        for (auto& partition : plan.partitions) partition.budget = 100, partition.budget_period = 1000;
                    }};
    fake.be_cpu(1);
    Cpu& cpu = system().cpus[1];
    cpu.activation = 50;
    Vcpu& vcpu = fake.vcpu(1, 0);
    become(vcpu, RunState::runnable);
    ASSERT_EQ(pick(cpu, CNTPCT::read()), &vcpu);
    const std::int64_t all = static_cast<std::int64_t>(vcpu.account->budget);
    EXPECT_EQ(vcpu.account->left, all - 50);
    ASSERT_EQ(pick(cpu, CNTPCT::read()), &vcpu);
    EXPECT_EQ(vcpu.account->left, all - 50) << "it goes on: nothing was switched";
    become(vcpu, RunState::blocked);
    EXPECT_EQ(pick(cpu, CNTPCT::read()), nullptr);
    become(vcpu, RunState::runnable);
    EXPECT_EQ(pick(cpu, CNTPCT::read()), &vcpu);
    EXPECT_EQ(vcpu.account->left, all - 100);
}

// What it had and what it could have had, by the clock.
TEST_F(Schedule, TimeIsHadOrStolen) {
    ASSERT_EQ(pick(cpu, CNTPCT::read()), &one);
    const timer::Ticks begin = CNTPCT::read();
    CNTPCT::write(begin + slice);
    ASSERT_EQ(pick(cpu, CNTPCT::read()), &two);
    CNTPCT::write(begin + slice + 1000);
    become(two, RunState::blocked);
    ASSERT_EQ(pick(cpu, CNTPCT::read()), &one);
    EXPECT_EQ(one.ran, slice);
    EXPECT_EQ(one.stolen, 1000u);
    EXPECT_EQ(two.ran, 1000u);
    EXPECT_EQ(two.stolen, slice);
}

// A virtual timer is compared with a counter that is behind the physical one, which CNTHP is set by.
TEST_F(Schedule, ASleepersTimeMayBeBehind) {
    two.partition->behind = 5000;
    two.cntv_ctl = timer_control::enable;
    two.cntv_cval = 777;
    EXPECT_EQ(wakes_at(two), 5777u);
    two.cntv_cval = timer::never - 10;
    EXPECT_EQ(wakes_at(two), timer::never) << "it does not wrap";
}

}  // namespace
}  // namespace partita
