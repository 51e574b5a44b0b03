// What a managing partition does with others, and what it may know of them.
#include "partition/control.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "banked.hpp"
#include "config/description.hpp"
#include "fake_system.hpp"
#include "machine/log.hpp"
#include "message/hypercall.hpp"
#include "partita/hypercall.h"

namespace partita {
namespace {

constexpr std::uint32_t page = tool::platform::ram + 0x10'0000;

// "b" is the parent partition; "a" runs on both CPUs, the second of which they share.
class Control : public testing::Test {
protected:
    Control()
        : fake(4, [this](tool::Plan& plan) {
              description.control.value = true;
              plan.partitions[1].description = &description;
              plan.partitions[1].flags = PARTITA_RIGHT_MANAGE;
          }) {
        fake.start(1);
        fake.start(0);
        EXPECT_EQ(power_on(a, 1, 0x4000'8000, 0), PSCI_SUCCESS);
        settle();
        EXPECT_EQ(ask(PARTITA_HYPERCALL_MESSAGE_PAGE, page), PSCI_SUCCESS);
    }

    // Both CPUs do what was posted to them. What runs then on CPU 0, and on CPU 1 if it is its turn.
    void settle() {
        for (int round = 0; round < 4; ++round)
            for (std::uint32_t cpu = 0; cpu < 2; ++cpu) {
                fake.be_cpu(cpu);
                try {
                    (void)run_next(system().cpus[cpu]);
                } catch (const Idle&) {
                }
            }
    }
    std::int32_t ask(std::uint32_t function, std::uint32_t r1 = 0, std::uint32_t r2 = 0, std::uint32_t r3 = 0) {
        fake.be_cpu(1);
        parent.r[0] = function, parent.r[1] = r1, parent.r[2] = r2, parent.r[3] = r3;
        hypercall(parent);
        return static_cast<std::int32_t>(parent.r[0]);
    }
    std::int32_t act(partita_control action, std::uint32_t partition = 0) {
        const std::int32_t result = ask(PARTITA_HYPERCALL_CONTROL, partition, static_cast<std::uint32_t>(action));
        settle();
        return result;
    }
    template <typename State>
    State in_page(std::uint32_t offset) {
        State out{};
        std::memcpy(&out, fake_hardware.memory(0x4200'0000 + 0x10'0000 + offset), sizeof out);
        return out;
    }
    partita_partition_state state_of(std::uint32_t partition) {
        EXPECT_EQ(ask(PARTITA_HYPERCALL_PARTITION, partition, 64), PSCI_SUCCESS);
        return in_page<partita_partition_state>(64);
    }

    tool::PartitionDescription description;
    FakeSystem fake;
    Partition& a = system().partitions[0];
    Partition& b = system().partitions[1];
    Vcpu& first = fake.vcpu(0, 0);
    Vcpu& second = fake.vcpu(0, 1);
    Vcpu& parent = fake.vcpu(1, 0);
};

TEST_F(Control, NobodyElseHasTheseCalls) {
    fake.be_cpu(0);
    for (const std::uint32_t function :
         {PARTITA_HYPERCALL_PARTITION, PARTITA_HYPERCALL_VCPU, PARTITA_HYPERCALL_CONTROL, PARTITA_HYPERCALL_LOG}) {
        first.r[0] = function, first.r[1] = 1, first.r[2] = PARTITA_CONTROL_STOP;
        hypercall(first);
        EXPECT_EQ(static_cast<std::int32_t>(first.r[0]), PARTITA_NOT_SUPPORTED);
        first.r[0] = PARTITA_HYPERCALL_FEATURES, first.r[1] = function;
        hypercall(first);
        EXPECT_EQ(static_cast<std::int32_t>(first.r[0]), PARTITA_NOT_SUPPORTED);
    }
    EXPECT_EQ(b.phase.load(), Phase::running);
}

TEST_F(Control, APausedPartitionRunsNowhereAndGoesOnWhereItWas) {
    fake.be_cpu(0);
    ASSERT_EQ(run_next(*first.cpu), &first);
    first.r[4] = 0xabcd;
    EXPECT_EQ(act(PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
    EXPECT_EQ(a.phase.load(), Phase::paused);
    EXPECT_EQ(state_of(0).phase, static_cast<std::uint32_t>(PARTITA_PHASE_PAUSED));
    for (std::uint32_t cpu = 0; cpu < 2; ++cpu) EXPECT_EQ(system().cpus[cpu].ready & (cpu == 0 ? first.bit : second.bit), 0u);
    fake.be_cpu(0);
    EXPECT_THROW((void)run_next(*first.cpu), Idle);
    EXPECT_EQ(act(PARTITA_CONTROL_RESUME), PSCI_SUCCESS);
    EXPECT_EQ(a.phase.load(), Phase::running);
    fake.be_cpu(0);
    EXPECT_EQ(run_next(*first.cpu), &first);
    EXPECT_EQ(first.r[4], 0xabcdu);
    EXPECT_EQ(a.starts, 1u) << "the same life";
}

TEST_F(Control, APauseIsDoneWhenTheLastVcpuHasStopped) {
    ASSERT_EQ(ask(PARTITA_HYPERCALL_CONTROL, 0, PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
    EXPECT_EQ(state_of(0).phase, static_cast<std::uint32_t>(PARTITA_PHASE_PAUSING));
    EXPECT_EQ(ask(PARTITA_HYPERCALL_CONTROL, 0, PARTITA_CONTROL_RESUME), PARTITA_BUSY);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_CONTROL, 0, PARTITA_CONTROL_PAUSE), PARTITA_BUSY);
    fake.be_cpu(1);
    (void)run_next(*second.cpu);
    EXPECT_EQ(a.phase.load(), Phase::pausing) << "one of two";
    fake.be_cpu(0);
    EXPECT_THROW((void)run_next(*first.cpu), Idle);
    EXPECT_EQ(a.phase.load(), Phase::paused);
}

TEST_F(Control, WhatComesWhileItIsPausedIsThereAfterwards) {
    a.distributor.write(first.interrupts, 0x104, 4, 1u << 8);  // GICD_ISENABLER1: interrupt 40
    fake.be_cpu(0);
    become(first, RunState::blocked);
    EXPECT_THROW((void)run_next(*first.cpu), Idle);
    ASSERT_EQ(act(PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
    fake.be_cpu(1);
    a.distributor.pulse(40);
    settle();
    EXPECT_EQ(first.state, RunState::paused);
    ASSERT_EQ(act(PARTITA_CONTROL_RESUME), PSCI_SUCCESS);
    EXPECT_NE(first.state, RunState::paused);
}

TEST_F(Control, AVcpuThatIsTurnedOnMeanwhileRunsAfterwards) {
    fake.be_cpu(1);
    second.r[0] = PSCI_CPU_OFF;
    hypercall(second);
    settle();
    ASSERT_EQ(second.power.load(), Power::off);
    fake.be_cpu(0);
    ASSERT_EQ(power_on(a, 1, 0x4000'8000, 5), PSCI_SUCCESS);  // on its way when the pause comes
    ASSERT_EQ(act(PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
    EXPECT_EQ(a.phase.load(), Phase::paused);
    EXPECT_EQ(second.state, RunState::paused);
    ASSERT_EQ(act(PARTITA_CONTROL_RESUME), PSCI_SUCCESS);
    EXPECT_EQ(second.power.load(), Power::on);
    EXPECT_EQ(second.state, RunState::runnable);
}

TEST_F(Control, APausedPartitionCanBeEnded) {
    ASSERT_EQ(act(PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
    EXPECT_EQ(act(PARTITA_CONTROL_STOP), PSCI_SUCCESS);
    EXPECT_EQ(a.phase.load(), Phase::off);
    EXPECT_EQ(first.state, RunState::off);
    EXPECT_EQ(second.state, RunState::off);
    EXPECT_EQ(act(PARTITA_CONTROL_START), PSCI_SUCCESS);
    fake.be_cpu(0);
    EXPECT_EQ(run_next(*first.cpu), &first) << "another life, not paused";
    EXPECT_EQ(a.phase.load(), Phase::running);
}

TEST_F(Control, AnEndOvertakesAPauseThatIsOnItsWay) {
    ASSERT_EQ(ask(PARTITA_HYPERCALL_CONTROL, 0, PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
    fake.be_cpu(1);
    EXPECT_TRUE(end(a, Ending::restart, PARTITA_RESET_GUEST));
    settle();
    fake.be_cpu(0);
    EXPECT_EQ(run_next(*first.cpu), &first);
    EXPECT_EQ(a.phase.load(), Phase::running);
    EXPECT_EQ(a.starts, 2u);
    ASSERT_EQ(act(PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
    EXPECT_EQ(a.phase.load(), Phase::paused) << "the next pause counts anew";
}

TEST_F(Control, TimeStandsStillForWhoIsPaused) {
    FakeSystem with{4, [this](tool::Plan& plan) {
                        plan.partitions[0].flags |= PARTITA_TIME_STOPS;
                        plan.partitions[1].description = &description;
                        plan.partitions[1].flags = PARTITA_RIGHT_MANAGE;
                    }};
    Partition& stops = system().partitions[0];
    with.start(0);
    const timer::Ticks behind = stops.behind;
    EXPECT_EQ(control(stops, system().partitions[1], PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
    for (std::uint32_t cpu : {0u, 1u}) {
        with.be_cpu(cpu);
        EXPECT_THROW((void)run_next(system().cpus[cpu]), Idle);
    }
    ASSERT_EQ(stops.phase.load(), Phase::paused);
    CNTPCT::write(timer::now() + 777'000);
    EXPECT_EQ(control(stops, system().partitions[1], PARTITA_CONTROL_RESUME), PSCI_SUCCESS);
    EXPECT_EQ(stops.behind, behind + 777'000);
}

TEST_F(Control, AWatchdogWaitsForWhoIsPaused) {
    FakeSystem with{4, [](tool::Plan& plan) {
                        plan.partitions[0].flags |= PARTITA_WATCHDOG_BOOT;
                        plan.partitions[0].watchdog_ms = 1000;
                    }};
    Partition &watched = system().partitions[0], &other = system().partitions[1];
    with.start(0);
    const timer::Ticks due = watched.watchdog.due();
    ASSERT_NE(due, timer::never);
    ASSERT_EQ(control(watched, other, PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
    for (const std::uint32_t cpu : {1u, 0u}) {
        with.be_cpu(cpu);
        EXPECT_THROW((void)run_next(system().cpus[cpu]), Idle);
    }
    ASSERT_EQ(watched.phase.load(), Phase::paused);
    CNTPCT::write(due + 10'000'000'000);
    with.be_cpu(0);
    expire(system().cpus[0], timer::now());
    EXPECT_EQ(watched.phase.load(), Phase::paused) << "nobody bites";
    ASSERT_EQ(control(watched, other, PARTITA_CONTROL_RESUME), PSCI_SUCCESS);
    EXPECT_GT(watched.watchdog.due(), timer::now());
    EXPECT_LE(watched.watchdog.due(), timer::now() + due);
}

TEST_F(Control, OnlyWhatTheStateAllows) {
    EXPECT_EQ(act(PARTITA_CONTROL_START), PARTITA_WRONG_STATE);
    EXPECT_EQ(act(PARTITA_CONTROL_RESUME), PARTITA_WRONG_STATE);
    EXPECT_EQ(act(PARTITA_CONTROL_STOP), PSCI_SUCCESS);
    EXPECT_EQ(a.phase.load(), Phase::off);
    for (const auto action : {PARTITA_CONTROL_STOP, PARTITA_CONTROL_PAUSE, PARTITA_CONTROL_RESUME, PARTITA_CONTROL_RESTART})
        EXPECT_EQ(act(action), PARTITA_WRONG_STATE) << action;
    EXPECT_EQ(a.phase.load(), Phase::off);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_CONTROL, 0, 5), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_CONTROL, 2, PARTITA_CONTROL_START), PSCI_INVALID_PARAMETERS);
    for (const auto action : {PARTITA_CONTROL_STOP, PARTITA_CONTROL_PAUSE}) EXPECT_EQ(act(action, 1), PSCI_DENIED) << action;
    EXPECT_EQ(b.phase.load(), Phase::running);
}

TEST_F(Control, ARestartIsNotCountedAgainstTheLimit) {
    FakeSystem with{4, [](tool::Plan& plan) { plan.partitions[0].restart_limit = 1, plan.partitions[0].restart_period_ms = 60'000; }};
    Partition& limited = system().partitions[0];
    with.start(0);
    for (int n = 0; n < 5; ++n) {
        with.be_cpu(0);
        ASSERT_EQ(control(limited, system().partitions[1], PARTITA_CONTROL_RESTART), PSCI_SUCCESS);
        for (const std::uint32_t cpu : {1u, 0u}) {
            with.be_cpu(cpu);
            try {
                (void)run_next(system().cpus[cpu]);
            } catch (const Idle&) {
            }
        }
        ASSERT_EQ(limited.phase.load(), Phase::running) << n;
    }
    EXPECT_EQ(limited.starts, 6u);
}

TEST_F(Control, NobodyStartsAfterAFaultThatEndedAll) {
    EXPECT_EQ(act(PARTITA_CONTROL_STOP), PSCI_SUCCESS);
    system().halted.store(true);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_CONTROL, 0, PARTITA_CONTROL_START), PSCI_DENIED);
    EXPECT_EQ(a.phase.load(), Phase::off);
}

TEST_F(Control, WhoIsOffAtBootBeginsWhenAsked) {
    FakeSystem with{4, [](tool::Plan& plan) { plan.partitions[0].flags |= PARTITA_OFF_AT_BOOT; }};
    Partition &later = system().partitions[0], &now = system().partitions[1];
    EXPECT_EQ(system().alive.load(), 1u);
    for (Partition* const partition : {&later, &now}) begin_at_boot(*partition);
    EXPECT_EQ(later.phase.load(), Phase::off);
    EXPECT_EQ(now.phase.load(), Phase::loading) << "before it has begun, nobody else begins it";
    EXPECT_EQ(control(now, now, PARTITA_CONTROL_START), PARTITA_BUSY);
    EXPECT_EQ(control(later, now, PARTITA_CONTROL_START), PSCI_SUCCESS);
    EXPECT_EQ(system().alive.load(), 2u);
    with.be_cpu(0);
    EXPECT_EQ(run_next(system().cpus[0]), &with.vcpu(0, 0));
    EXPECT_EQ(later.starts, 1u);
}

TEST_F(Control, TurningOnAndOffDoesNotFloodTheLog) {
    std::uint32_t end = 0;
    const auto rest = [&] {
        std::string all;
        for (;;) {
            EXPECT_EQ(ask(PARTITA_HYPERCALL_LOG, 0, 128, end), PSCI_SUCCESS);
            if (parent.r[1] == 0) return all;
            all += std::string{reinterpret_cast<const char*>(fake_hardware.memory(0x4200'0000 + 0x10'0000)), parent.r[1]};
            end = parent.r[2] + parent.r[1];
        }
    };
    (void)rest();
    for (int n = 0; n < 40; ++n) {
        ASSERT_EQ(act(PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
        ASSERT_EQ(act(PARTITA_CONTROL_RESUME), PSCI_SUCCESS);
        ASSERT_EQ(act(PARTITA_CONTROL_STOP), PSCI_SUCCESS);
        ASSERT_EQ(act(PARTITA_CONTROL_START), PSCI_SUCCESS);
        fake.be_cpu(0);
        (void)run_next(*first.cpu);
    }
    const std::string all = rest();
    std::size_t lines = 0;
    for (std::size_t at = all.find("state partition=0"); at != std::string::npos; at = all.find("state partition=0", at + 1)) ++lines;
    EXPECT_GE(lines, 4u) << all;
    EXPECT_LT(lines, 12u) << all;
}

TEST_F(Control, TellsHowPartitionsAre) {
    const partita_partition_state of_a = state_of(0);
    EXPECT_STREQ(of_a.name, "a");
    EXPECT_EQ(parent.r[1], 2u) << "how many there are";
    EXPECT_EQ(of_a.vcpus, 2u);
    EXPECT_EQ(of_a.vcpus_on, 3u);
    EXPECT_EQ(of_a.cpus, 3u);
    EXPECT_EQ(of_a.memory, kBlockSize >> 10);
    EXPECT_EQ(of_a.starts, 1u);
    EXPECT_EQ(of_a.itself, 0u);
    EXPECT_EQ(state_of(1).itself, 1u);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_PARTITION, 2, 0), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_PARTITION, 0, kPageSize - sizeof(partita_partition_state) + 4), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_PARTITION, 0, kPageSize - sizeof(partita_partition_state)), PSCI_SUCCESS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_PARTITION, 0, 2), PSCI_INVALID_PARAMETERS);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_MESSAGE_PAGE, ~0u), PSCI_SUCCESS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_PARTITION, 0, 0), PARTITA_NO_MESSAGE_PAGE);
}

TEST_F(Control, EachPhaseHasItsName) {
    const std::pair<Phase, partita_phase> phases[] = {{Phase::off, PARTITA_PHASE_OFF},           {Phase::loading, PARTITA_PHASE_LOADING},
                                                      {Phase::running, PARTITA_PHASE_RUNNING},   {Phase::pausing, PARTITA_PHASE_PAUSING},
                                                      {Phase::paused, PARTITA_PHASE_PAUSED},     {Phase::resuming, PARTITA_PHASE_RUNNING},
                                                      {Phase::stopping, PARTITA_PHASE_STOPPING}, {Phase::telling, PARTITA_PHASE_STOPPING}};
    for (const auto& [phase, told] : phases) {
        a.phase.store(phase);
        EXPECT_EQ(state_of(0).phase, static_cast<std::uint32_t>(told));
        const bool settled = phase == Phase::off || phase == Phase::running || phase == Phase::paused;
        if (phase != Phase::off) EXPECT_EQ(control(a, b, PARTITA_CONTROL_START), settled ? PARTITA_WRONG_STATE : PARTITA_BUSY) << told;
    }
    a.phase.store(Phase::running);
}

TEST_F(Control, MessagesAreCounted) {
    FakeSystem with{4, [this](tool::Plan& plan) {
                        plan.partitions[1].description = &description;
                        plan.partitions[1].flags = PARTITA_RIGHT_MANAGE;
                        plan.channels = {{"bell", PARTITA_CHANNEL_DOORBELL, 0, 0, 0, false, 0, {1}}};
                        plan.partitions[0].ports.push_back({0, 0, PARTITA_PORT_SENDS, 64});
                        plan.partitions[1].ports.push_back({0, 1, 0, 64});
                    }};
    Vcpu& rings = with.start(0);
    for (int n = 0; n < 3; ++n) {
        rings.r[0] = PARTITA_HYPERCALL_SEND, rings.r[1] = 0, rings.r[2] = 0, rings.r[3] = 0;
        hypercall(rings);
        ASSERT_EQ(rings.r[0], 0u);
    }
    EXPECT_EQ(system().ports[0].sent.load(), 3u);
}

TEST_F(Control, TellsHowVcpusAre) {
    first.ran = 0x1'0000'0005, first.stolen = 77;
    first.exits[0x12] = 9;
    ASSERT_EQ(ask(PARTITA_HYPERCALL_VCPU, 0, 0, 128), PSCI_SUCCESS);
    const auto state = in_page<partita_vcpu_state>(128);
    EXPECT_EQ(state.ran, 0x1'0000'0005u);
    EXPECT_EQ(state.stolen, 77u);
    EXPECT_EQ(state.frequency, 62'500'000u);
    EXPECT_EQ(state.cpu, 0u);
    EXPECT_EQ(state.on, 1u);
    EXPECT_EQ(state.exits[0x12], 9u);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_VCPU, 0, 2, 0), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_VCPU, 2, 0, 0), PSCI_INVALID_PARAMETERS);
}

TEST_F(Control, TheLogIsKeptThroughTheParentsLives) {
    const auto read = [this](std::uint32_t from) {
        EXPECT_EQ(ask(PARTITA_HYPERCALL_LOG, 0, 512, from), PSCI_SUCCESS);
        return std::string{reinterpret_cast<const char*>(fake_hardware.memory(0x4200'0000 + 0x10'0000)), parent.r[1]};
    };
    std::uint32_t end = 0;
    for (std::string part = read(0); !part.empty(); part = read(end)) end = parent.r[2] + static_cast<std::uint32_t>(part.size());
    LogLine("one").key("n", 1);
    EXPECT_EQ(read(end), "one n=1\n");
    EXPECT_EQ(parent.r[2], end);
    EXPECT_EQ(read(end + 4), "n=1\n");
    EXPECT_EQ(read(end + 8), "") << "nothing new";
    EXPECT_EQ(parent.r[2], end + 8);
    EXPECT_NE(parent.events.load() & event::news, 0u) << "it is told";
    for (int n = 0; n < 2000; ++n) LogLine("line").key("n", 1000);
    EXPECT_EQ(read(end).size(), 128u) << "no more at once";
    EXPECT_EQ(parent.r[2], end + 8 + 2000 * 12 - log::kept) << "the oldest that is still there";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_LOG, 4, kPageSize, 0), PSCI_SUCCESS) << "more than there is room for, but not than is given";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_LOG, kPageSize - 64, 512, 0), PSCI_INVALID_PARAMETERS);
}

TEST_F(Control, NewsOfTheLogIsAnInterrupt) {
    fake.be_cpu(1);
    b.distributor.write(parent.interrupts, 0x104, 4, 1u << (tool::platform::events_interrupt - 32));
    LogLine("something");
    settle();
    EXPECT_NE(b.distributor.read(parent.interrupts, 0x204, 4) & 1u << (tool::platform::events_interrupt - 32), 0u);
}

TEST_F(Control, BytesOfTheControlChannelReachTheParentsUart) {
    EXPECT_EQ(system().parent, &b);
    EXPECT_TRUE(system().control.receive('x'));
    EXPECT_EQ(system().control.read(0), static_cast<std::uint32_t>('x'));
    for (const bool framed : {true, false}) {
        console::start(framed);
        console::open_channel(PARTITA_CONSOLE_CONTROL, "control:", system().control_output);
        FakeSystem::hold_log();
        system().control.write(0, 'y');
        const auto expected = framed ? std::optional<std::uint8_t>{'y'} : std::nullopt;
        EXPECT_EQ(system().control_output.take(), expected) << "among plain lines frames would be garbage";
    }
}

}  // namespace
}  // namespace partita
