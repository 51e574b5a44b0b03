// What the hypervisor frames, the tool takes apart.
#include "machine/console.hpp"

#include <gtest/gtest.h>

#include <map>
#include "random.hpp"
#include <string>

#include "machine/layout.hpp"
#include "machine/log.hpp"
#include "machine/uart.hpp"
#include "mmio.hpp"
#include "run/demux.hpp"

namespace partita {
namespace {

// A PL011 that takes and gives bytes.
class FakeUart final : public FakeDevice {
public:
    FakeUart() { fake_device = this; }
    ~FakeUart() override { fake_device = nullptr; }
    bool read(std::uintptr_t address, std::uint32_t& value) override {
        if (address == layout::uart + uart::registers::FR) {
            value = (room == 0 ? uart::registers::transmit_full : 0) | (input.empty() ? uart::registers::receive_empty : 0);
            return true;
        }
        if (address != layout::uart + uart::registers::DR) return false;
        value = static_cast<unsigned char>(input.front());
        input.erase(0, 1);
        return true;
    }
    bool write(std::uintptr_t address, std::uint32_t value) override {
        if (address == layout::uart + uart::registers::IMSC) mask = value;
        if (address != layout::uart + uart::registers::DR) return false;
        output += static_cast<char>(value);
        --room;
        return true;
    }
    std::string output, input;
    unsigned room = ~0u;
    std::uint32_t mask = 0;
};

void drain() {
    for (int n = 0; n < 100; ++n) console::pump();
}

std::map<std::uint32_t, std::string> take_apart(const std::string& wire) {
    std::map<std::uint32_t, std::string> out;
    tool::Demux demux{[&](std::uint32_t channel, char byte) { out[channel] += byte; }};
    demux.feed(wire);
    return out;
}

TEST(Console, WhatGoesInComesOut) {
    FakeUart wire;
    console::start(true);
    Random random{7};
    std::map<std::uint32_t, std::string> sent;
    for (int n = 0; n < 20'000; ++n) {
        const std::uint32_t channel = random() % console::channels;
        const char byte = random() % 5 == 0 ? static_cast<char>(PARTITA_CONSOLE_ESCAPE) : static_cast<char>(random());
        if (console::put(channel, static_cast<std::uint8_t>(byte))) sent[channel] += byte;
        if (random() % 50 == 0) console::pump();
    }
    drain();
    EXPECT_EQ(take_apart(wire.output), sent);
}

TEST(Console, ALateListenerFindsItsPlace) {
    FakeUart wire;
    console::start(true);
    for (int n = 0; n < 1500; ++n) console::put(3, 'x');
    drain();
    const auto heard = take_apart(wire.output.substr(300));
    EXPECT_GT(heard.at(3).size(), 900u);
}

TEST(Console, WaitsForRoomAndAsksForIt) {
    FakeUart wire;
    console::start(true);
    wire.room = 5;
    for (int n = 0; n < 100; ++n) console::put(1, 'y');
    console::pump();
    EXPECT_EQ(wire.output.size(), 5u);
    EXPECT_NE(wire.mask & uart::registers::transmit_interrupt, 0u);
    wire.room = 1000;
    drain();
    EXPECT_EQ(wire.mask & uart::registers::transmit_interrupt, 0u);
    EXPECT_EQ(take_apart(wire.output).at(1), std::string(100, 'y'));
}

TEST(Console, AFullRingRefuses) {
    FakeUart wire;
    wire.room = 0;
    console::start(true);
    int taken = 0;
    while (console::put(2, 'z')) ++taken;
    EXPECT_EQ(taken, 2048);
    EXPECT_TRUE(console::full(2));
    wire.room = ~0u;
    drain();
    EXPECT_FALSE(console::full(2));
}

TEST(Console, PlainLinesHaveTheirPartitionsName) {
    FakeUart wire;
    console::start(false);
    console::name_channel(1, "one");
    console::name_channel(2, "two");
    for (const char c : std::string{"first\nprompt> "}) console::put(1, static_cast<std::uint8_t>(c));
    drain();
    for (const char c : std::string{"hello\n"}) console::put(2, static_cast<std::uint8_t>(c));
    drain();
    EXPECT_EQ(wire.output, "|one first\n|one prompt> \n|two hello\n");
}

TEST(Console, InputFindsItsChannel) {
    FakeUart wire;
    console::start(true);
    wire.input = tool::to_channel(2, std::string{"ab\x10"}) + tool::to_channel(1, "c");
    std::map<std::uint32_t, std::string> heard;
    while (const auto received = console::receive()) heard[received->channel] += static_cast<char>(received->byte);
    EXPECT_EQ(heard, (std::map<std::uint32_t, std::string>{{1, "c"}, {2, "ab\x10"}}));
}

TEST(Log, FactsAreLines) {
    FakeUart wire;
    console::start(true);
    LogLine("fault").key("partition", 1).word("cause", "write").hex("ipa", 0x1'0000'0000).hex("pc", 0x80).key("zero", 0);
    drain();
    EXPECT_EQ(take_apart(wire.output).at(0), "fault partition=1 cause=write ipa=0x0100000000 pc=0x00000080 zero=0\n");
}

}  // namespace
}  // namespace partita
