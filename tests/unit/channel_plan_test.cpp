// Channels as they are described: what can be is planned, shown and told to both ends; what cannot be is said where it is written.
#include <gtest/gtest.h>
extern "C" {
#include <libfdt.h>
}

#include <regex>

#include "plan/channels.hpp"
#include "plan_fixture.hpp"
#include "show/show.hpp"

namespace partita::tool {
namespace {

class ChannelPlan : public PlanFixture {
protected:
    static std::string partitions(const std::string& more = "") {
        std::string out = "[system]\nboard = \"virt\"\n";
        for (const char* const name : {"one", "two", "three"})
            out += "[[partition]]\nname = \"" + std::string{name} + "\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [" +
                   (name[1] == 'n'   ? "0"
                    : name[1] == 'w' ? "1"
                                     : "2") +
                   "]\n" + (name[1] == 'w' ? more : "");
        return out;
    }
    // The third partition ends at line 17.
    static std::string channel(const std::string& kind, const std::string& more, const std::string& to = "\"two\"") {
        return "[[channel]]\nname = \"c\"\nkind = \"" + kind + "\"\nfrom = \"one\"\nto = " + to + "\n" + more;
    }
    std::string said(const std::string& channels, const std::string& more = "") { return complaints(partitions(more) + channels); }
};

TEST_F(ChannelPlan, EachEndHasAnInterruptOfItsOwn) {
    ASSERT_EQ(said("[[channel]]\nname = \"speed\"\nkind = \"sampling\"\nfrom = \"one\"\nto = [\"two\", \"three\"]\nmessage = \"64 "
                   "B\"\nrefresh = \"20 ms\"\ntold = true\n"
                   "[[channel]]\nname = \"log\"\nkind = \"queuing\"\nfrom = \"two\"\nto = \"three\"\nmessage = \"4 KiB\"\ndepth = 3\n"),
              "");
    ASSERT_EQ(plan->channels.size(), 2u);
    EXPECT_EQ(plan->channels[0].time_us, 20'000u);
    ASSERT_EQ(plan->partitions[1].ports.size(), 2u);
    EXPECT_EQ(plan->partitions[1].ports[0].flags, PARTITA_PORT_TOLD);
    EXPECT_EQ(plan->partitions[1].ports[1].flags, PARTITA_PORT_SENDS);
    EXPECT_NE(plan->partitions[1].ports[0].interrupt, plan->partitions[1].ports[1].interrupt);
    const std::string shown = show_text(*plan);
    EXPECT_NE(shown.find("one/64 -> two/64, three/64"), std::string::npos) << shown;
    EXPECT_NE(shown.find("queuing, 3 of 4 KiB"), std::string::npos) << shown;
    const std::string drawn = show_svg(*plan);
    for (const char* const word : {"one/64", "three/64", "speed", "sampling, 64 B, valid for 20 ms", "queuing, 3 of 4 KiB"})
        EXPECT_NE(drawn.find(word), std::string::npos) << word;
}

TEST_F(ChannelPlan, BothEndsFindItInTheirDeviceTree) {
    ASSERT_EQ(said(channel("queuing", "message = \"64 B\"\ndepth = 16\n")), "");
    for (const std::size_t n : {0u, 1u}) {
        const auto& copies = plan->partitions[n].copies;
        const auto tree = std::find_if(copies.begin(), copies.end(), [](const PlannedCopy& copy) { return copy.what == "device tree"; });
        ASSERT_NE(tree, copies.end());
        const void* const fdt = tree->bytes.data();
        const int node = fdt_path_offset(fdt, "/hypervisor/channels/c@0");
        ASSERT_GE(node, 0);
        EXPECT_STREQ(static_cast<const char*>(fdt_getprop(fdt, node, "compatible", nullptr)), "partita,queuing-port");
        EXPECT_STREQ(static_cast<const char*>(fdt_getprop(fdt, node, "partita,direction", nullptr)), n == 0 ? "send" : "receive");
        EXPECT_STREQ(static_cast<const char*>(fdt_getprop(fdt, node, "partita,peers", nullptr)), n == 0 ? "two" : "one");
    }
    EXPECT_EQ(fdt_path_offset(plan->partitions[2].copies.back().bytes.data(), "/hypervisor/channels"), -FDT_ERR_NOTFOUND);
}

TEST_F(ChannelPlan, InterruptsOfDevicesAreLeftAlone) {
    const_cast<BoardDevice*>(board.find("/pl031@9010000"))->interrupts[0].intid = 64;
    ASSERT_EQ(said(channel("doorbell", ""), "devices = [\"/pl031@9010000\"]\n"), "");
    EXPECT_EQ(plan->partitions[1].routes[0].intid, 64u);
    EXPECT_EQ(plan->partitions[1].ports[0].interrupt, 65u);
    EXPECT_EQ(plan->partitions[0].ports[0].interrupt, 64u) << "in its own partition";
}

TEST_F(ChannelPlan, WhatCannotBeIsSaidWhereItIsWritten) {
    const std::string queuing = "message = \"64 B\"\ndepth = 16\n";
    const std::pair<std::string, const char*> mistakes[] = {
        {channel("mailbox", ""), ":20:8: error: kind cannot be \"mailbox\""},
        {channel("queuing", "depth = 16\n"),
         "channel \"c\": it needs the size of its longest message; add a line like: message = \"64 B\""},
        {channel("queuing", "message = \"64 B\"\n"), "it needs to be said how many messages it holds; add a line like: depth = 16"},
        {channel("queuing", "message = \"5 KiB\"\ndepth = 1\n"),
         ":23:11: error: channel \"c\": a message can have 1 B to 4 KiB, not 5 KiB"},
        {channel("queuing", "message = \"0 B\"\ndepth = 1\n"), "a message can have 1 B to 4 KiB"},
        {channel("queuing", "message = \"64 B\"\ndepth = 0\n"), "a queue can hold 1 to 1024 messages, not 0"},
        {channel("queuing", "message = \"64 B\"\ndepth = 1025\n"), "not 1025"},
        {channel("queuing", queuing + "refresh = \"1 ms\"\n"), "refresh is for a sampling channel; take it out"},
        {channel("queuing", queuing + "told = true\n"), "told is for sampling channels"},
        {channel("queuing", queuing, "[\"two\", \"three\"]"), "only a sampling channel has several receivers; add a channel for each"},
        {channel("doorbell", "message = \"4 B\"\n"), "a doorbell carries no message"},
        {channel("doorbell", "depth = 4\n"), "depth is for queuing channels"},
        {channel("doorbell", "interval = \"1500 ns\"\n"), "interval can be whole microseconds, from 1 us to 60 s"},
        {channel("sampling", "message = \"64 B\"\nrefresh = \"61 s\"\n"), "refresh can be whole microseconds, from 1 us to 60 s"},
        {channel("doorbell", "", "\"one\""), "a partition does not send to itself"},
        {channel("sampling", "message = \"4 B\"\n", "[\"two\", \"two\"]"), "\"two\" is named twice"},
        {channel("doorbell", "", "\"tow\""), "there is no partition \"tow\"; did you mean \"two\"?"},
        {channel("doorbell", "", "[]"), "nobody receives; write to = \"NAME\""},
        {channel("doorbell", "") + channel("doorbell", ""), "two channels are called \"c\": this one and the one at line 19; rename one"},
        {std::regex_replace(channel("doorbell", ""), std::regex{"\"c\""}, "\"a b\""), "this cannot be its name"},
        {std::regex_replace(channel("doorbell", ""), std::regex{"from = \"one\"\n"}, ""), "this [channel] has no \"from\""},
        {"[channel]\nname = \"c\"\n", "write [[channel]] here"},
    };
    for (const auto& [text, complaint] : mistakes) {
        const std::string words = said(text);
        EXPECT_NE(words.find(complaint), std::string::npos) << text << complaint << "\nbut: " << words;
    }
}

TEST_F(ChannelPlan, ThereIsAnEndOfEverything) {
    std::string many;
    for (int n = 0; n < 33; ++n)
        many += "[[channel]]\nname = \"c" + std::to_string(n) + "\"\nkind = \"doorbell\"\nfrom = \"one\"\nto = \"two\"\n";
    EXPECT_NE(said(many).find("the channels have more than 48 ends"), std::string::npos);
    std::string deep;
    for (int n = 0; n < 2; ++n)
        deep += "[[channel]]\nname = \"c" + std::to_string(n) +
                "\"\nkind = \"queuing\"\nfrom = \"one\"\nto = \"two\"\nmessage = \"200 B\"\ndepth = 1024\n";
    EXPECT_NE(said(deep).find("with this channel the messages of all take"), std::string::npos);
}

}  // namespace
}  // namespace partita::tool
