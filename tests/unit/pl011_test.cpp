#include "device/pl011.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "fake_system.hpp"

namespace partita {
namespace {

constexpr std::uint32_t DR = 0x00, FR = 0x18, CR = 0x30, IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44;

class Pl011Test : public testing::Test {
protected:
    Pl011Test() { console::flush(); }
    FakeSystem fake;
    Vcpu& vcpu = fake.start(0);
    Pl011& uart = vcpu.partition->console;
    [[nodiscard]] bool line() { return (vcpu.partition->distributor.read(vcpu.interrupts, gicd::ISPENDR + 4, 4) & 2u) != 0; }
};

TEST_F(Pl011Test, IdentifiesItself) {
    std::uint32_t id = 0, cell = 0;
    for (std::uint32_t n = 0; n < 4; ++n) id |= uart.read(0xfe0 + n * 4) << n * 8, cell |= uart.read(0xff0 + n * 4) << n * 8;
    EXPECT_EQ(id, 0x0034'1011u);
    EXPECT_EQ(cell, 0xb105'f00du);
    EXPECT_EQ(uart.read(CR), 0x300u);
}

TEST_F(Pl011Test, TransmitsEvenWhileDisabled) {
    uart.write(CR, 0);
    uart.write(DR, 'A');
    EXPECT_EQ(fake_mmio[layout::uart], static_cast<std::uint32_t>('A'));
}

TEST_F(Pl011Test, ReceivedBytesRaiseTheLineUntilTheyAreRead) {
    EXPECT_EQ(uart.read(FR) & 0x10u, 0x10u);
    uart.receive('x');
    EXPECT_FALSE(line());
    uart.write(IMSC, 0x50);
    EXPECT_TRUE(line());
    EXPECT_EQ(uart.read(MIS), 0x50u);
    uart.receive('y');
    EXPECT_EQ(uart.read(DR), static_cast<std::uint32_t>('x'));
    EXPECT_TRUE(line());
    EXPECT_EQ(uart.read(DR), static_cast<std::uint32_t>('y'));
    EXPECT_FALSE(line());
    EXPECT_EQ(uart.read(FR) & 0x10u, 0x10u);
}

TEST_F(Pl011Test, TransmitInterruptComesAndIsCleared) {
    uart.write(IMSC, 0x20);
    uart.write(DR, 'A');
    EXPECT_TRUE(line());
    uart.write(ICR, 0x20);
    EXPECT_FALSE(line());
    EXPECT_EQ(uart.read(RIS) & 0x20u, 0u);
}

TEST_F(Pl011Test, AFullWireHoldsTheGuestBack) {
    fake_mmio[layout::uart + uart::registers::FR] = uart::registers::transmit_full;
    uart.write(IMSC, 0x20);
    for (int n = 0; n < 2048; ++n) uart.write(DR, 'x');
    EXPECT_EQ(uart.read(FR) & 0x20u, 0x20u);
    EXPECT_FALSE(line());
    fake_mmio[layout::uart + uart::registers::FR] = 0;
    for (int n = 0; n < 20; ++n) console::pump();
    uart.drained();
    EXPECT_EQ(uart.read(FR) & 0x20u, 0u);
    EXPECT_TRUE(line());
}

TEST_F(Pl011Test, AFullFifoLosesTheByteAndSaysSo) {
    int taken = 0;
    while (uart.receive('x')) ++taken;
    EXPECT_EQ(taken, 1024);
    EXPECT_EQ(uart.read(FR) & 0x40u, 0x40u);
}

TEST_F(Pl011Test, RoomThatAnotherCpuMakesIsSeenAndTold) {
    constexpr std::uint32_t uart_fr = 0x18, uart_imsc = 0x38, full = 0x20;
    fake_mmio[layout::uart + uart_fr] = full;  // the board's UART takes nothing
    uart.write(IMSC, full);
    for (int n = 0; n < 3000; ++n) uart.write(DR, 'a');
    EXPECT_EQ(uart.read_word(FR) & full, full);
    EXPECT_FALSE(line());
    fake_mmio[layout::uart + uart_fr] = 0;
    for (int n = 0; n < 20; ++n) console::pump();  // as others do when they write
    EXPECT_EQ(uart.read_word(FR) & full, 0u);
    EXPECT_NE(fake_mmio[layout::uart + uart_imsc] & full, 0u) << "the UART's interrupt is still asked for";
    EXPECT_TRUE(console::room_wanted());
    uart.drained();
    EXPECT_TRUE(line()) << "and tells the partition";
}

// Line settings are kept, and are without effect.
TEST_F(Pl011Test, KeepsWhatIsWritten) {
    constexpr std::pair<std::uint32_t, std::uint32_t> kept[] = {{0x24, 0xffff}, {0x28, 0x3f},  {0x2c, 0xff},
                                                                {0x34, 0x3f},   {0x38, 0x7ff}, {0x48, 7}};
    for (const auto& [offset, bits] : kept) {
        uart.write(offset, ~0u);
        EXPECT_EQ(uart.read(offset), bits) << std::hex << offset;
        uart.write(offset, 0);
        EXPECT_EQ(uart.read(offset), 0u);
    }
}

// One CPU brings a byte while another takes it: what is pending is what is there, or the guest is interrupted for ever for nothing.
TEST_F(Pl011Test, AByteThatIsTakenAtOnceLeavesNoInterrupt) {
    constexpr int rounds = 30'000;
    std::atomic<int> brought{0}, taken{0};
    std::thread wire{[&] {
        for (int n = 1; n <= rounds; ++n) {
            while (taken.load() != n - 1) std::this_thread::yield();
            uart.receive('x');
            brought.store(n);
        }
    }};
    int phantoms = 0;
    for (int n = 1; n <= rounds; ++n) {
        while ((uart.read(FR) & 0x10u) != 0) std::this_thread::yield();
        EXPECT_EQ(uart.read(DR), static_cast<std::uint32_t>('x'));
        while (brought.load() != n) std::this_thread::yield();
        phantoms += (uart.read(RIS) & 0x50u) != 0 ? 1 : 0;
        taken.store(n);
    }
    wire.join();
    EXPECT_EQ(phantoms, 0);
}

}  // namespace
}  // namespace partita
