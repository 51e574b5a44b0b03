// What a partition can do to a function by its configuration space, and what it cannot.
#include "device/pci_function.hpp"

#include <gtest/gtest.h>

#include "fake_pci.hpp"
#include "random.hpp"

namespace partita {
namespace {

class PciFunctionTest : public testing::Test {
protected:
    FakePci hardware;
    partita_master description{};
    PciFunction function;

    PciFunctionTest() {
        description.flags = PARTITA_MASTER_PCI | PARTITA_MASTER_INTX;
        description.id = FakePci::id;
        const std::array<std::uint32_t, 6> bars{0x1020'0004, 0, 0x1030'0000, 0, 0, 0};
        std::copy(bars.begin(), bars.end(), description.bars);
        std::copy(FakePci::masks.begin(), FakePci::masks.end(), description.bar_masks);
        function.set_up(description, layout::pci);
        function.program();
    }
    // The capabilities that the partition finds.
    std::vector<std::uint32_t> found() {
        std::vector<std::uint32_t> out;
        for (std::uint32_t at = function.read(0x34, 1); at != 0 && out.size() < 50; at = function.read(at + 1, 1))
            out.push_back(function.read(at, 1));
        return out;
    }
};

TEST_F(PciFunctionTest, RegistersAreWhereTheDescriptionHasThem) {
    EXPECT_EQ(hardware.word(0x10), 0x1020'0004u);
    EXPECT_EQ(hardware.word(0x18), 0x1030'0000u);
    EXPECT_EQ(function.read(0x10, 4), 0x1020'0004u);
    function.write(0x10, 4, ~0u);
    EXPECT_EQ(function.read(0x10, 4), 0xffff'c004u) << "the size is told";
    EXPECT_EQ(hardware.word(0x10), 0x1020'0004u) << "... without the hardware's being asked";
    function.write(0x14, 4, ~0u);
    EXPECT_EQ(function.read(0x14, 4), ~0u);
    function.write(0x10, 4, 0x5000'0000);
    EXPECT_EQ(function.read(0x10, 4), 0x1020'0004u) << "it does not move";
    function.write(0x1c, 4, ~0u);
    EXPECT_EQ(function.read(0x1c, 4), 0u) << "there is no such register";
    function.write(0x30, 4, ~0u);
    EXPECT_EQ(function.read(0x30, 4), 0u) << "no expansion ROM";
}

TEST_F(PciFunctionTest, TheBusIsMasteredWhenThePartitionSaysSo) {
    EXPECT_EQ(hardware.command() & 7u, 0u);
    function.write(4, 2, 0xffff);
    EXPECT_EQ(hardware.command(), 0x556u) << "all but I/O ports and what is reserved";
    function.write(5, 1, 0);
    EXPECT_EQ(hardware.command(), 0x56u) << "its line may interrupt";
    function.cut_off();
    EXPECT_EQ(hardware.command() & 4u, 0u);
    function.write(4, 4, 6);
    EXPECT_EQ(hardware.command() & 6u, 2u) << "cut off is cut off";
    function.program();
    function.write(4, 4, 6);
    EXPECT_EQ(hardware.command() & 6u, 6u) << "until the next life";
}

TEST_F(PciFunctionTest, ALineThatIsNotThePartitionsStaysDown) {
    description.flags = PARTITA_MASTER_PCI;
    function.program();
    EXPECT_NE(hardware.command() & 0x400u, 0u);
    function.write(4, 2, 6);
    EXPECT_EQ(hardware.command(), 0x406u);
    EXPECT_EQ(function.read(0x3d, 1), 0u) << "it has no pin";
}

TEST_F(PciFunctionTest, MessagesAreThereWhereTheyAreThePartitions) {
    EXPECT_EQ(found(), (std::vector<std::uint32_t>{0x01, 0x10, 0x03}));
    function.write(FakePci::msix + 2, 2, 0x8000);
    function.write(FakePci::msi + 2, 2, 1);
    EXPECT_EQ(hardware.word(FakePci::msix) >> 16, 0u);
    EXPECT_EQ(hardware.word(FakePci::msi) >> 16, 0u);
    EXPECT_EQ(function.read(FakePci::msix, 4), 0u);
    description.flags = PARTITA_MASTER_PCI | PARTITA_MASTER_MSI;
    EXPECT_EQ(found(), (std::vector<std::uint32_t>{0x01, 0x05, 0x10, 0x11, 0x03})) << "all but enhanced allocation";
    function.write(FakePci::msix + 2, 2, 0x8000);
    EXPECT_EQ(hardware.word(FakePci::msix) >> 16, 0x8000u);
    function.write(FakePci::msix, 4, 0xc000'ffff);
    EXPECT_EQ(hardware.word(FakePci::msix), 0xc000'0011u | FakePci::odd << 8) << "as a whole word, too, and the list stays";
}

TEST_F(PciFunctionTest, AListThatDoesNotEndIsReadAllTheSame) {
    hardware.put(FakePci::odd, 0x0003 | FakePci::power << 8);
    EXPECT_EQ(function.read(FakePci::odd, 1), 3u);
    hardware.put(FakePci::power, 0x0005 | FakePci::power << 8);  // hidden, and its own successor
    EXPECT_EQ(function.read(0x34, 1), 0u);
}

TEST_F(PciFunctionTest, WhatItHasCanBeReset) {
    function.write(4, 2, 6);
    function.write(FakePci::express + 8, 2, 0x8200);
    EXPECT_EQ(hardware.resets, 1u);
    EXPECT_EQ(hardware.word(0x10), 4u) << "the hardware has forgotten";
    function.write(4, 2, 6);
    EXPECT_EQ(hardware.word(0x10), 0x1020'0004u) << "before it answers, its registers are in their place";
    EXPECT_FALSE(hardware.moved_while_it_answered);
    EXPECT_EQ(hardware.word(FakePci::express + 8) & 0x200u, 0u) << "no function numbers that are other streams";
}

TEST_F(PciFunctionTest, IsCheckedAgainstTheDescription) {
    std::uint32_t where = 0, value = 0;
    EXPECT_TRUE(function.matches(where, value));
    description.id ^= 1;
    EXPECT_FALSE(function.matches(where, value));
    EXPECT_EQ(where, 0u);
    description.id ^= 1;
    description.bar_masks[2] = 0xffff'8000;
    EXPECT_FALSE(function.matches(where, value));
    EXPECT_EQ(where, 0x18u);
    EXPECT_EQ(value, 0xffff'f000u);
    description.bar_masks[2] = 0;
    EXPECT_FALSE(function.matches(where, value)) << "a register that the description does not name";
}

TEST_F(PciFunctionTest, QuiescedItIsOffTheBusAndReset) {
    function.write(4, 2, 6);
    EXPECT_TRUE(function.quiesce());
    EXPECT_EQ(hardware.resets, 1u);
    EXPECT_EQ(hardware.command() & 7u, 0u);
    hardware.put(FakePci::express + 4, 0);
    EXPECT_FALSE(function.quiesce());
}

// Whatever is written: it stays where it is, on the streams that it has, and interrupts nobody else.
TEST_F(PciFunctionTest, NothingThatAPartitionWritesChangesWhoItIs) {
    for (const std::uint32_t flags :
         {PARTITA_MASTER_PCI | PARTITA_MASTER_INTX, PARTITA_MASTER_PCI, PARTITA_MASTER_PCI | PARTITA_MASTER_MSI}) {
        description.flags = flags;
        function.program();
        Random random{flags};
        for (unsigned n = 0; n < 200'000; ++n) {
            const unsigned size = 1u << random.below(3);
            const std::uint32_t offset = random.below(random.below(4) == 0 ? 0x1000 : 0x100) & ~(size - 1);
            const std::uint32_t value = random.below(4) == 0 ? ~0u : random.below(~0u);
            if (random.below(2) == 0) {
                function.write(offset, size, value);
                ASSERT_EQ(hardware.command() & 1u, 0u) << "I/O ports";
                ASSERT_TRUE((flags & PARTITA_MASTER_INTX) != 0 || (hardware.command() & 0x400u) != 0 || (hardware.command() & 7u) == 0);
                ASSERT_EQ(hardware.word(FakePci::express + 8) & 0x200u, 0u) << "phantom functions";
                ASSERT_TRUE((flags & PARTITA_MASTER_MSI) != 0 ||
                            (hardware.word(FakePci::msi) >> 16 == 0 && hardware.word(FakePci::msix) >> 16 == 0));
                ASSERT_EQ(hardware.word(0x100), 0x0001'000fu) << "extended space";
                if ((hardware.command() & 2u) != 0) ASSERT_EQ(hardware.word(0x10), description.bars[0]);
            } else {
                const std::uint32_t told = function.read(offset, size);
                if (offset >= 0x100) ASSERT_EQ(told, 0u);
            }
        }
        EXPECT_FALSE(hardware.moved_while_it_answered);
    }
}

}  // namespace
}  // namespace partita
