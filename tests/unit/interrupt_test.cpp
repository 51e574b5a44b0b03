// Physical interrupts: whose they are, and that each is ended exactly once.
#include <gtest/gtest.h>

#include "arch/registers.hpp"
#include "fake_system.hpp"
#include "trap/handlers.hpp"
#include "trap/run.hpp"

namespace partita {

extern "C" Vcpu* on_interrupt(Vcpu* vcpu);

namespace {

constexpr std::uint32_t device = 40, uart_interrupt = 33, nobodys = 77, performance = 23;

class Interrupt : public testing::Test {
protected:
    FakeSystem fake;
    Vcpu& vcpu = fake.start(0);
    Cpu& cpu = *vcpu.cpu;

    // The interrupt comes while the guest runs.
    Vcpu* comes(std::uint32_t id) {
        fake.gic.to_acknowledge = {id};
        fake_mmio.erase(layout::gicc + gicc::EOIR), fake_mmio.erase(layout::gicc + gicc::DIR);
        return on_interrupt(&vcpu);
    }
    [[nodiscard]] static bool dropped(std::uint32_t id) {
        return fake_mmio.contains(layout::gicc + gicc::EOIR) && fake_mmio[layout::gicc + gicc::EOIR] == id;
    }
    [[nodiscard]] static bool ended(std::uint32_t id) {
        return fake_mmio.contains(layout::gicc + gicc::DIR) && fake_mmio[layout::gicc + gicc::DIR] == id;
    }
    [[nodiscard]] std::uint32_t read(std::uint32_t offset) { return vcpu.partition->distributor.read(vcpu.interrupts, offset, 4); }
    void enable(std::uint32_t id) {
        vcpu.partition->distributor.write(vcpu.interrupts, gicd::CTLR, 4, 1);
        vcpu.partition->distributor.write(vcpu.interrupts, gicd::ISENABLER + id / 32 * 4, 4, 1u << id % 32);
    }
};

TEST_F(Interrupt, OfADeviceGoesToItsPartitionAndStaysActive) {
    enable(device);
    EXPECT_EQ(comes(device), &vcpu);
    EXPECT_TRUE(dropped(device));
    EXPECT_FALSE(ended(device)) << "the guest ends it, by its list register";
    EXPECT_EQ(fake.gic.acknowledge(), device);
}

TEST_F(Interrupt, OfADeviceWakesWhoSleeps) {
    enable(device);
    become(vcpu, RunState::blocked);
    fake.gic.to_acknowledge = {device};
    take_interrupt(cpu);
    EXPECT_EQ(vcpu.state, RunState::runnable);
}

TEST_F(Interrupt, ThatIsNobodysComesNoMore) {
    fake.gic.physical_enabled.insert(nobodys);
    EXPECT_EQ(comes(nobodys), &vcpu);
    EXPECT_TRUE(dropped(nobodys) && ended(nobodys));
    EXPECT_FALSE(fake.gic.physical_enabled.contains(nobodys));
    EXPECT_EQ(fake.gic.live(), 0u);
}

TEST_F(Interrupt, OfThisCpuThatNobodyHasComesNoMore) {
    fake.gic.physical_enabled.insert(performance);
    EXPECT_EQ(comes(performance), &vcpu);
    EXPECT_TRUE(dropped(performance) && ended(performance));
    EXPECT_FALSE(fake.gic.physical_enabled.contains(performance));
}

TEST_F(Interrupt, OfThePerformanceCountersGoesToWhoHasThem) {
    vcpu.interrupts.link_private(performance);
    enable(performance);
    EXPECT_EQ(comes(performance), &vcpu);
    EXPECT_TRUE(dropped(performance));
    EXPECT_FALSE(ended(performance));
    EXPECT_EQ(fake.gic.acknowledge(), performance);
}

TEST_F(Interrupt, OfTheTimerIsTheLoadedVcpusOrNobodys) {
    enable(intid::virtual_timer);
    EXPECT_EQ(comes(intid::virtual_timer), &vcpu);
    EXPECT_FALSE(ended(intid::virtual_timer));
    EXPECT_EQ(fake.gic.acknowledge(), intid::virtual_timer);
    cpu.loaded = nullptr;
    fake_mmio.erase(layout::gicc + gicc::DIR);
    fake.gic.to_acknowledge = {intid::virtual_timer};
    take_interrupt(cpu);
    EXPECT_TRUE(ended(intid::virtual_timer));
    cpu.loaded = &vcpu;
}

TEST_F(Interrupt, OfTheHypervisorsOwnEndAtOnce) {
    for (const std::uint32_t id : {intid::hyp_timer, intid::maintenance, intid::sgi_post}) {
        EXPECT_EQ(comes(id), &vcpu);
        EXPECT_TRUE(dropped(id) && ended(id)) << id;
    }
}

TEST_F(Interrupt, ThatHasGoneMeanwhileIsNotEnded) {
    EXPECT_EQ(comes(1023), &vcpu);
    EXPECT_FALSE(dropped(1023) || ended(1023));
}

TEST_F(Interrupt, OfTheUartBringsWhatWasTyped) {
    fake_mmio[layout::uart + uart::registers::FR] = uart::registers::receive_empty;
    EXPECT_EQ(comes(uart_interrupt), &vcpu);
    EXPECT_TRUE(dropped(uart_interrupt) && ended(uart_interrupt));
    EXPECT_EQ(fake_mmio[layout::uart + uart::registers::ICR], 0x7afu) << "the receive interrupts end with what is read";
}

// A line that is never silent must not keep a CPU in Hyp mode.
TEST_F(Interrupt, OfTheUartEndsWhereBytesDoNot) {
    fake_mmio[layout::uart + uart::registers::FR] = 0;
    EXPECT_EQ(comes(uart_interrupt), &vcpu);
    EXPECT_TRUE(ended(uart_interrupt));
    fake_mmio[layout::uart + uart::registers::FR] = uart::registers::receive_empty;
}

TEST_F(Interrupt, OfTheTimerSendsWhatTheConsoleHeldBack) {
    console::flush();
    console::rest_between_bursts(1000);
    for (int n = 0; n < 40; ++n) ASSERT_TRUE(console::put(PARTITA_CONSOLE_LOG, 'x'));
    console::pump();
    EXPECT_TRUE(console::waiting()) << "more than one burst";
    EXPECT_EQ(cpu.console_due, timer::now() + 1000);
    console::pump();
    EXPECT_TRUE(console::waiting()) << "it rests";
    for (int n = 0; n < 10 && console::waiting(); ++n) {
        CNTPCT::write(cpu.console_due);
        EXPECT_EQ(comes(intid::hyp_timer), &vcpu);
    }
    EXPECT_FALSE(console::waiting());
    EXPECT_EQ(cpu.console_due, timer::never);
    console::rest_between_bursts(0);
}

}  // namespace
}  // namespace partita
