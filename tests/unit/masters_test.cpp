// Devices that read and write memory by themselves: what reaches what, through the tables and commands that the hypervisor writes.
#include "partition/masters.hpp"

#include <gtest/gtest.h>

#include "arch/stage2.hpp"

#include "fake_pci.hpp"
#include "fake_smmu.hpp"
#include "fake_system.hpp"
#include "partition/loader.hpp"

namespace partita {
namespace {

constexpr std::uint32_t own_stream = 0x10, others_stream = 0x18, interrupt = 106;

// Partition "a" has the fake function as stream 0x10, "b" another device as 0x18.
struct Machine {
    FakeSmmu smmu{FakeSystem::own_memory};
    FakePci pci;
    tool::Board board;
    std::array<tool::BoardDevice, 2> devices;
    FakeSystem fake;

    explicit Machine(std::uint32_t policy = 0) : fake(4, [&](tool::Plan& plan) { describe(plan, policy); }) {}

    void describe(tool::Plan& plan, std::uint32_t policy) {
        board = *plan.board;
        board.smmu = {0x0905'0000, 0x2'0000}, board.smmu_interrupt = interrupt;
        board.pci = tool::PciHost{"/pcie", {0x3f00'0000, 0x100'0000}, {0x1000'0000, 0x2000'0000}};
        plan.board = &board;
        devices[0].stream = own_stream;
        devices[0].pci = tool::PciFunction{0x10, 1, FakePci::id, {0x1020'0004, 0, 0x1030'0000, 0, 0, 0}, FakePci::masks};
        devices[1].stream = others_stream;
        plan.partitions[0].flags |= policy;
        plan.partitions[0].masters.push_back({&devices[0], PARTITA_MASTER_PCI | PARTITA_MASTER_INTX});
        plan.partitions[1].masters.push_back({&devices[1], 0});
        for (const std::uint64_t at : {0x1020'0000u, 0x1030'0000u})
            plan.partitions[0].regions.push_back(
                {"bar", at, at, at == 0x1020'0000 ? 0x4000u : 0x1000u, PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_DEVICE});
    }
    [[nodiscard]] Partition& a() { return system().partitions[0]; }
    [[nodiscard]] std::optional<std::uint64_t> write_by(std::uint32_t stream, std::uint64_t ipa) { return smmu.access(stream, ipa, true); }
    // All its vCPUs stop, and the next life is loaded so far that it could begin.
    void end_life() {
        end(a(), Ending::restart, PARTITA_RESET_GUEST);
        for (const std::uint32_t cpu : {0u, 1u}) {
            fake.be_cpu(cpu);
            serve_inbox(system().cpus[cpu]);
        }
    }
};

TEST(Masters, NoStreamReachesAnythingBeforeItsPartitionRuns) {
    Machine machine;
    EXPECT_TRUE(machine.smmu.enabled());
    for (std::uint32_t stream = 0; stream < PARTITA_MAX_STREAMS + 2; ++stream)
        EXPECT_FALSE(machine.write_by(stream, tool::platform::ram)) << stream;
    EXPECT_EQ(machine.pci.command() & 7u, 0u);
    SmmuV3::stop_all();
    EXPECT_FALSE(machine.write_by(own_stream, tool::platform::ram)) << "and before it is set up";
}

TEST(Masters, ADeviceReachesItsPartitionsMemoryAndNothingElse) {
    Machine machine;
    machine.fake.start(0);
    EXPECT_EQ(machine.write_by(own_stream, tool::platform::ram + 0x1234), 0x4100'1234u);
    EXPECT_EQ(machine.write_by(own_stream, 0x1020'0008), 0x1020'0008u) << "... or its devices";
    EXPECT_FALSE(machine.write_by(own_stream, tool::platform::ram + kBlockSize));
    EXPECT_FALSE(machine.write_by(own_stream, 0x4200'0000)) << "where b's memory is on the board";
    EXPECT_FALSE(machine.write_by(own_stream, std::uint64_t{1} << 32));
    EXPECT_FALSE(machine.write_by(others_stream, tool::platform::ram)) << "b does not run";
    machine.fake.start(1);
    EXPECT_EQ(machine.write_by(others_stream, tool::platform::ram), 0x4200'0000u);
}

TEST(Masters, BeforeMemoryIsTouchedItsDevicesAreCutOff) {
    Machine machine;
    machine.fake.start(0);
    machine.a().masters[0].function.write(4, 2, 6);
    ASSERT_TRUE(machine.write_by(own_stream, tool::platform::ram));
    machine.end_life();
    EXPECT_EQ(machine.a().phase.load(), Phase::loading);
    EXPECT_FALSE(machine.write_by(own_stream, tool::platform::ram)) << "nor by what was cached";
    EXPECT_EQ(machine.pci.command() & 7u, 0u);
    EXPECT_EQ(machine.pci.resets, 2u) << "one at boot, one now";
    begin(machine.a());
    machine.a().cursor.step = LoadCursor::Step::done;
    EXPECT_FALSE(load_step(machine.a())) << "a function's reset takes its time";
    CNTPCT::write(CNTPCT::read() + CNTFRQ::read() / 10);
    EXPECT_TRUE(load_step(machine.a()));
    enter(machine.a());
    EXPECT_EQ(machine.write_by(own_stream, tool::platform::ram), 0x4100'0000u);
    EXPECT_EQ(machine.pci.word(0x10), 0x1020'0004u) << "its registers are in their place again";
    EXPECT_EQ(machine.pci.command() & 4u, 0u) << "off the bus until the guest says otherwise";
}

TEST(Masters, AnAccessThatIsStoppedIsToldAndTheDeviceCutOff) {
    Machine machine;
    Vcpu& vcpu = machine.fake.start(0);
    machine.a().masters[0].function.write(4, 2, 6);
    FakeSystem::hold_log();
    (void)machine.fake.log();
    for (unsigned n = 0; n < 5; ++n) EXPECT_FALSE(machine.write_by(own_stream, 0x8f00'0000 + n * 4));
    take_dma_faults(*vcpu.cpu);
    EXPECT_EQ(machine.fake.log(),
              "dma partition=0 stream=0x00000010 cause=write reason=unmapped address=0x8f000000 code=0x00000010 action=abort\n");
    EXPECT_EQ(machine.pci.command() & 4u, 0u);
    EXPECT_FALSE(machine.write_by(own_stream, tool::platform::ram)) << "not even what is its own";
    take_dma_faults(*vcpu.cpu);
    EXPECT_EQ(machine.fake.log(), "") << "the rest was under way already";
    EXPECT_EQ(machine.a().phase.load(), Phase::running);
    machine.a().masters[0].function.write(4, 2, 6);
    EXPECT_EQ(machine.pci.command() & 4u, 0u);
}

TEST(Masters, ThePolicyIsThatOfFaults) {
    Machine machine{PARTITA_ON_FAULT_RESTART};
    Vcpu& vcpu = machine.fake.start(0);
    EXPECT_FALSE(machine.smmu.access(own_stream, 0, false));
    take_dma_faults(*vcpu.cpu);
    EXPECT_EQ(machine.a().phase.load(), Phase::stopping);
    EXPECT_EQ(machine.a().ending.load(), Ending::restart);
}

// Whoever can send messages can raise the System MMU's interrupt too.
TEST(Masters, AnInterruptWithoutAFaultTakesNobodysTime) {
    Machine machine;
    Vcpu& vcpu = machine.fake.start(0);
    Cpu& cpu = *vcpu.cpu;
    machine.fake.gic.physical_enabled.insert(interrupt);
    EXPECT_FALSE(machine.write_by(own_stream, 0));
    machine.fake.gic.to_acknowledge = {interrupt};
    take_interrupt(cpu);
    EXPECT_FALSE(machine.fake.gic.physical_enabled.contains(interrupt)) << "masked, until there is nothing left";
    EXPECT_EQ(cpu.faults_due, CNTPCT::read() + CNTFRQ::read() / 1000);
    (void)run_next(cpu);
    EXPECT_LE(cpu.armed, cpu.faults_due);
    CNTPCT::write(cpu.faults_due);
    machine.fake.gic.to_acknowledge = {intid::hyp_timer};
    take_interrupt(cpu);
    EXPECT_TRUE(machine.fake.gic.physical_enabled.contains(interrupt));
    EXPECT_EQ(cpu.faults_due, timer::never);
}

// Nothing is taken from a partition in the middle of a life; what is between two of them counts in the next.
TEST(Masters, WhatWasCachedOfAnEarlierLifeIsForgotten) {
    Machine machine;
    machine.fake.start(0);
    ASSERT_TRUE(machine.write_by(own_stream, tool::platform::ram)) << "... and is cached now";
    stop_masters(machine.a());
    auto* const root = reinterpret_cast<Descriptor*>(FakeSystem::own_memory(machine.a().vttbr_without_vmid));
    root[tool::platform::ram / kBlockSize] = 0;
    start_masters(machine.a());
    EXPECT_FALSE(machine.write_by(own_stream, tool::platform::ram));
}

TEST(Masters, WhatWasDoneInOneLifeIsNotTakenOutOnTheNext) {
    Machine machine;
    Vcpu& vcpu = machine.fake.start(0);
    for (unsigned n = 0; n < 40; ++n) EXPECT_FALSE(machine.write_by(own_stream, 0));
    machine.end_life();
    CNTPCT::write(CNTPCT::read() + CNTFRQ::read() / 10);
    for (unsigned n = 0; n < 2; ++n) {
        EXPECT_FALSE(masters_ready(machine.a())) << "there still are faults of the life before";
        take_dma_faults(*vcpu.cpu);
    }
    take_dma_faults(*vcpu.cpu);
    EXPECT_TRUE(masters_ready(machine.a()));
    start_masters(machine.a());
    take_dma_faults(*vcpu.cpu);
    EXPECT_TRUE(machine.write_by(own_stream, tool::platform::ram));
    EXPECT_FALSE(machine.write_by(own_stream, 0));
    stop_masters(machine.a());
    CNTPCT::write(CNTPCT::read() + CNTFRQ::read() / 5);
    EXPECT_TRUE(masters_ready(machine.a())) << "not for ever, where nobody looks";
}

TEST(Masters, FaultsThatWereLostAreTold) {
    Machine machine;
    Vcpu& vcpu = machine.fake.start(0);
    FakeSystem::hold_log();
    (void)machine.fake.log();
    for (unsigned n = 0; n < 300; ++n) EXPECT_FALSE(machine.write_by(own_stream, 0x8f00'0000));
    for (unsigned n = 0; n < 20; ++n) take_dma_faults(*vcpu.cpu);
    const std::string log = machine.fake.log();
    EXPECT_NE(log.find("dma partition=0"), std::string::npos);
    EXPECT_EQ(log.find("dma-lost"), log.rfind("dma-lost"));
    EXPECT_NE(log.find("dma-lost"), std::string::npos);
    // And the queue works on.
    machine.fake.start(1);
    EXPECT_FALSE(machine.write_by(others_stream, 0));
    take_dma_faults(*vcpu.cpu);
    EXPECT_NE(machine.fake.log().find("dma partition=1"), std::string::npos);
}

// Through all positions of both queues, several times.
TEST(Masters, TheQueuesWrap) {
    Machine machine;
    Vcpu& vcpu = machine.fake.start(0);
    for (unsigned n = 0; n < 700; ++n) {
        start_masters(machine.a());
        ASSERT_TRUE(machine.write_by(own_stream, tool::platform::ram)) << n;
        ASSERT_FALSE(machine.write_by(own_stream, 0));
        take_dma_faults(*vcpu.cpu);
        ASSERT_FALSE(machine.write_by(own_stream, tool::platform::ram)) << n;
        stop_masters(machine.a());
    }
    EXPECT_GT(machine.smmu.commands, 2000u);
}

TEST(Masters, AHardwareThatDoesNotAnswerIsNotRelied) {
    Machine machine;
    machine.smmu.answers = false;
    EXPECT_THROW(stop_masters(machine.a()), Panic);
}

TEST(Masters, ConfigurationSpaceIsThePartitionsFunctionsAlone) {
    Machine machine;
    machine.fake.start(0);
    EXPECT_EQ(read_config(machine.a(), 0x10'000, 4), FakePci::id);
    EXPECT_EQ(read_config(machine.a(), 0x10'002, 2), FakePci::id >> 16);
    EXPECT_EQ(read_config(machine.a(), 0x11'000, 4), ~0u);
    EXPECT_EQ(read_config(system().partitions[1], 0x10'000, 4), ~0u) << "another's";
    write_config(system().partitions[1], 0x10'004, 2, 6);
    EXPECT_EQ(machine.pci.command() & 7u, 0u);
    write_config(machine.a(), 0x10'004, 2, 6);
    EXPECT_EQ(machine.pci.command() & 7u, 6u);
}

}  // namespace
}  // namespace partita
