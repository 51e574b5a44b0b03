// Networks as they are described: what can be is planned, and told to drivers and servers; what cannot be is said where it is written.
#include <fmt/format.h>
#include <gtest/gtest.h>
extern "C" {
#include <libfdt.h>
}

#include "pack/describe.hpp"
#include "plan_fixture.hpp"
#include "show/show.hpp"

namespace partita::tool {
namespace {

class NetworkPlan : public PlanFixture {
protected:
    NetworkPlan() { use_board("virt-smmu"); }
    // Two clients and their server; what follows each of them, and what follows all.
    static std::string described(const std::string& one, const std::string& two, const std::string& server, const std::string& rest) {
        const auto partition = [](const std::string& name, int cpu, const std::string& more) {
            return fmt::format("[[partition]]\nname = \"{}\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [{}]\n{}", name, cpu, more);
        };
        return "[system]\nboard = \"virt-smmu\"\n" + partition("one", 0, "server = \"net\"\n" + one) +
               partition("two", 1, "server = \"net\"\n" + two) + partition("net", 2, "rights = [\"serve\"]\n" + server) + rest;
    }
    static std::string port(const std::string& more = "", const std::string& network = "lan") {
        return fmt::format("[[partition.network]]\nname = \"{}\"\n{}", network, more);
    }
    static std::string network(const std::string& more = "", const std::string& name = "lan") {
        return fmt::format("[[network]]\nname = \"{}\"\n{}", name, more);
    }
    std::vector<std::uint32_t> cells(int device, const char* property) const {
        const void* fdt = nullptr;
        for (const PlannedCopy& copy : plan->partitions[2].copies)
            if (copy.what == "device tree") fdt = copy.bytes.data();
        const std::string path = fmt::format("/hypervisor/served/device-{0}@{0}", device);
        int size = 0;
        const auto* const at = static_cast<const fdt32_t*>(fdt_getprop(fdt, fdt_path_offset(fdt, path.c_str()), property, &size));
        std::vector<std::uint32_t> out;
        for (int n = 0; at != nullptr && n < size / 4; ++n) out.push_back(fdt32_to_cpu(at[n]));
        return out;
    }
};

using Cells = std::vector<std::uint32_t>;

TEST_F(NetworkPlan, AServerIsToldOfItsNetworks) {
    const std::string one = port("mac = \"02:00:0a:Bc:00:ff\"\ngroup = \"a\"\nrate = \"5 GiB\"\n") + port("", "other");
    EXPECT_NE(complaints(described(one, port(), "", network() + network("", "other"))).find("must be from 1 B to 4 GiB"),
              std::string::npos);
    const std::string good = port("mac = \"02:00:0a:Bc:00:ff\"\ngroup = \"a\"\nrate = \"4 GiB\"\n") + port("", "other");
    ASSERT_EQ(complaints(described(good, port("group = \"b\"\nany_mac = true\n"), "devices = [\"net0\"]\n",
                                   network("uplink = \"net0\"\n") + network("", "other"))),
              "");
    EXPECT_EQ(cells(0, "partita,mac"), (Cells{2, 0, 0x0a, 0xbc, 0, 0xff}));
    EXPECT_EQ(cells(0, "partita,group"), Cells{1});
    EXPECT_EQ(cells(0, "partita,rate"), (Cells{1, 0}));
    EXPECT_EQ(cells(0, "partita,uplink"), Cells{0x18});
    EXPECT_EQ(cells(0, "partita,network"), Cells{0});
    EXPECT_EQ(cells(1, "partita,network"), Cells{1});
    EXPECT_TRUE(cells(1, "partita,uplink").empty());
    EXPECT_EQ(cells(2, "partita,group"), Cells{2});
    EXPECT_EQ(cells(2, "partita,any-mac"), Cells{1});
    const Cells made = cells(1, "partita,mac");
    EXPECT_EQ(made[0], 2u);
    EXPECT_NE(made, cells(2, "partita,mac"));
    EXPECT_NE(show_text(*plan).find("network lan"), std::string::npos);
    EXPECT_TRUE(describe_system(*plan, {plan->hypervisor_base, 0x2'0000}, {}));
    const std::string again = described(good, port(), "", network() + network("", "other"));
    ASSERT_EQ(complaints(again), "");
    EXPECT_EQ(cells(1, "partita,mac"), made) << "always the same";
}

TEST_F(NetworkPlan, WhatCannotBeIsSaidWhereItIsWritten) {
    const std::string card = "devices = [\"net0\"]\n", uplink = "uplink = \"net0\"\n";
    const std::pair<std::string, const char*> mistakes[] = {
        {described(port(), port("", "lam"), "", network()), "there is no network \"lam\"; did you mean \"lan\"?"},
        {described(port(), "", "", ""), "there is no network \"lan\"; add a [[network]] with this name"},
        {described("", "", "", network()), "nobody is on network \"lan\"; add a [[partition.network]]"},
        {described(port(), "", "", network() + network()), "two networks are called \"lan\""},
        {described(port("", "l n"), "", "", network("", "l n")), "\"l n\" cannot be a network's name"},
        {described(port() + port(), "", "", network()), "\"one\" is on network \"lan\" twice: here and at line 9"},
        {described(port("mac = \"03:00:00:00:00:01\"\n"), "", "", network()), "\"03:00:00:00:00:01\" is no address that a port can have"},
        {described(port("mac = \"02:00:00:00:00\"\n"), "", "", network()), "is no address that a port can have"},
        {described(port("mac = \"02:00:00:00:00:0g\"\n"), "", "", network()), "is no address that a port can have"},
        {described(port("mac = \"00:00:00:00:00:00\"\n"), "", "", network()), "is no address that a port can have"},
        {described(port("mac = \"02:00:00:00:00:01\"\n"), port("mac = \"02:00:00:00:00:01\"\n"), "", network()),
         "the port of \"two\" on network \"lan\" has the same address as the one at line 11"},
        {described(port("rate = \"0 B\"\n"), "", "", network()), "the rate of \"one\" on network \"lan\" must be from 1 B"},
        {described(port(), "", "", network("uplink = \"net1\"\n")), "board \"virt-smmu\" has no network card \"net1\"; did you mean"},
        {described(port(), "", "", network("uplink = \"nvme0\"\n")), "is no network card that a server can drive"},
        {described(port(), "", "", network(uplink)),
         "ethernet@3,0 is no device of \"net\", which would serve network \"lan\"; add it there"},
        {described(port() + port("", "wan"), "", card, network(uplink) + network(uplink, "wan")),
         "is the uplink of network \"lan\" already"},
        {described(port(), "server = \"x\"\n", "", network()), "server"},
    };
    for (const auto& [text, words] : mistakes)
        EXPECT_NE(complaints(text).find(words), std::string::npos) << words << "\n" << complaints(text);
    std::string two = described(port(), "", "", network());
    two += "[[partition]]\nname = \"three\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [3]\nserver = \"two\"\n" + port();
    two.replace(two.find("name = \"two\""), 12, "rights = [\"serve\"]\nname = \"two\"");
    EXPECT_NE(complaints(two).find("network \"lan\" would be served by both \"two\" and \"net\" (for \"one\")"), std::string::npos)
        << complaints(two);
}

}  // namespace
}  // namespace partita::tool
