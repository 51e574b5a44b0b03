// What the hypervisor frames, the tool takes apart.
#include "machine/console.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include "random.hpp"
#include <string>

#include "arch/registers.hpp"
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
    FakeUart() { CNTFRQ::write(62'500'000); }
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

std::array<console::Ring, console::channels> rings;

void name(std::uint32_t channel, const char* text) { console::open_channel(channel, text, rings[channel]); }
void begin(bool framed) {
    console::start(framed);
    for (std::uint32_t channel = PARTITA_CONSOLE_FIRST_PARTITION; channel < console::channels; ++channel) name(channel, "");
}

void drain() {
    for (int n = 0; n < 2000; ++n) console::pump();
}

void write(std::uint32_t channel, const std::string& text) {
    for (const char c : text) console::put(channel, static_cast<std::uint8_t>(c));
}

std::map<std::uint32_t, std::string> take_apart(const std::string& wire) {
    std::map<std::uint32_t, std::string> out;
    tool::Demux demux{[&](std::uint32_t channel, char byte) { out[channel] += byte; }};
    demux.feed(wire);
    return out;
}

TEST(Console, WhatGoesInComesOut) {
    FakeUart wire;
    begin(true);
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

// Bytes that go straight to the UART and bytes that wait keep their order, and the frames theirs.
TEST(Console, WhatIsSentAtOnceKeepsItsPlace) {
    FakeUart wire;
    begin(true);
    Random random{8};
    std::map<std::uint32_t, std::string> sent;
    unsigned at_once = 0;
    for (int n = 0; n < 50'000; ++n) {
        const std::uint32_t channel =
            random() % 40 == 0 ? random() % console::channels : static_cast<unsigned>(n) / 2000 % console::channels;
        const char byte = random() % 20 == 0 ? static_cast<char>(PARTITA_CONSOLE_ESCAPE) : static_cast<char>(random());
        wire.room = random() % 10 == 0 ? 0 : ~0u;
        const bool direct = console::send_at_once(channel, static_cast<std::uint8_t>(byte));
        at_once += direct ? 1 : 0;
        if (direct || console::put(channel, static_cast<std::uint8_t>(byte))) sent[channel] += byte;
        if (!direct || console::waiting()) console::pump();
    }
    wire.room = ~0u;
    drain();
    EXPECT_EQ(take_apart(wire.output), sent);
    EXPECT_GT(at_once, 10'000u);
}

TEST(Console, ALateListenerFindsItsPlace) {
    FakeUart wire;
    begin(true);
    for (int n = 0; n < 1500; ++n) console::put(3, 'x');
    drain();
    const auto heard = take_apart(wire.output.substr(300));
    EXPECT_GT(heard.at(3).size(), 900u);
}

TEST(Console, WaitsForRoomAndAsksForIt) {
    FakeUart wire;
    begin(true);
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
    begin(true);
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
    begin(false);
    name(1, "one");
    name(2, "two");
    write(1, "first\nprompt> ");
    drain();
    CNTPCT::write(CNTPCT::read() + CNTFRQ::read());
    write(2, "hello\n");
    drain();
    EXPECT_EQ(wire.output, "|one first\n|one prompt> \n|two hello\n");
}

TEST(Console, PlainLinesAreNotBrokenWhileTheirWriterGoesOn) {
    FakeUart wire;
    begin(false);
    name(1, "one");
    name(2, "two");
    write(1, "slow");
    drain();
    write(2, "other\n");
    drain();
    write(1, "ly\n");
    drain();
    EXPECT_EQ(wire.output, "|one slowly\n|two other\n");
    write(1, "prompt> ");
    drain();
    write(2, "waits\n");
    drain();
    EXPECT_EQ(wire.output, "|one slowly\n|two other\n|one prompt> ");
    console::tick();
    EXPECT_EQ(wire.output, "|one slowly\n|two other\n|one prompt> ") << "it is not silent yet";
    CNTPCT::write(CNTPCT::read() + CNTFRQ::read());
    console::tick();
    EXPECT_EQ(wire.output, "|one slowly\n|two other\n|one prompt> \n|two waits\n");
}

// A partition that always has something to say, and one that does so without ever ending a line.
TEST(Console, AFloodTakesTurns) {
    for (const bool framed : {true, false})
        for (const std::string flood : {"noise\n", "noise"}) {
            FakeUart wire;
            begin(framed);
            name(1, "flood");
            for (int n = 0; n < 20; ++n) {
                while (console::put(1, static_cast<std::uint8_t>(flood[static_cast<std::size_t>(n) % flood.size()]))) {
                }
                if (n == 10) write(PARTITA_CONSOLE_LOG, "fault\n");
                console::pump();
            }
            EXPECT_NE(wire.output.find("fault\n"), std::string::npos) << framed << flood;
            console::flush();
        }
}

TEST(Log, LinesAreWholeOrCounted) {
    FakeUart wire;
    begin(true);
    wire.room = 0;
    for (int n = 0; n < 200; ++n) LogLine("state").key("partition", 7);
    wire.room = ~0u;
    console::flush();
    LogLine("done").text("");
    console::flush();
    const std::string log = take_apart(wire.output).at(0);
    unsigned told = 0;
    for (std::size_t at = 0; at < log.size(); at = log.find('\n', at) + 1)
        if (log.compare(at, 18, "state partition=7\n") == 0) ++told;
    EXPECT_GT(told, 50u);
    EXPECT_TRUE(log.ends_with("state partition=7\nlost lines=" + std::to_string(200 - told) + "\ndone\n")) << log;
}

TEST(Console, InputFindsItsChannel) {
    FakeUart wire;
    begin(true);
    wire.input = tool::to_channel(2, std::string{"ab\x10"}) + tool::to_channel(1, "c");
    std::map<std::uint32_t, std::string> heard;
    while (const auto received = console::receive()) heard[received->channel] += static_cast<char>(received->byte);
    EXPECT_EQ(heard, (std::map<std::uint32_t, std::string>{{1, "c"}, {2, "ab\x10"}}));
}

TEST(Log, FactsAreLines) {
    FakeUart wire;
    begin(true);
    LogLine("fault").key("partition", 1).word("cause", "write").hex("ipa", 0x1'0000'0000).hex("pc", 0x80).key("zero", 0);
    drain();
    EXPECT_EQ(take_apart(wire.output).at(0), "fault partition=1 cause=write ipa=0x0100000000 pc=0x00000080 zero=0\n");
}

}  // namespace
}  // namespace partita
