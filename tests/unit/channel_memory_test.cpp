// Memory that two partitions share: where each sees it and may do what, and what cannot be.
#include <gtest/gtest.h>
extern "C" {
#include <libfdt.h>
}

#include <algorithm>

#include "arch/address.hpp"
#include "plan_fixture.hpp"
#include "show/show.hpp"

namespace partita::tool {
namespace {

class ChannelMemory : public PlanFixture {
protected:
    // Two partitions, and a channel at line 12.
    static std::string system(const std::string& more, const std::string& kind = "memory") {
        return "[system]\nboard = \"virt\"\n"
               "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [0]\n"
               "[[partition]]\nname = \"two\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [1]\n"
               "[[channel]]\nname = \"frames\"\nkind = \"" +
               kind + "\"\nfrom = \"one\"\nto = \"two\"\n" + more;
    }
    std::string said(const std::string& more, const std::string& kind = "memory") { return complaints(system(more, kind)); }
    [[nodiscard]] std::vector<PlannedRegion> parts(std::size_t partition) const {
        std::vector<PlannedRegion> out;
        for (const PlannedRegion& region : plan->partitions[partition].regions)
            if ((region.flags & PARTITA_REGION_CHANNEL) != 0) out.push_back(region);
        return out;
    }
    [[nodiscard]] const void* tree(std::size_t partition) const {
        for (const PlannedCopy& copy : plan->partitions[partition].copies)
            if (copy.what == "device tree") return copy.bytes.data();
        return nullptr;
    }
};

std::uint32_t cell(const void* fdt, int node, const char* property, unsigned index) {
    int size = 0;
    const auto* const at = static_cast<const fdt32_t*>(fdt_getprop(fdt, node, property, &size));
    return at != nullptr && size >= static_cast<int>(4 * index + 4) ? fdt32_to_cpu(at[index]) : 0;
}

TEST_F(ChannelMemory, EachPartHasTheSamePlaceAndOneWriterMostly) {
    ASSERT_EQ(said("size = \"64 KiB\"\nback = \"4 KiB\"\ncommon = \"8 KiB\"\nattributes = \"uncached\"\n"), "");
    const auto one = parts(0), two = parts(1);
    ASSERT_EQ(one.size(), 3u);
    ASSERT_EQ(two.size(), 3u);
    constexpr std::uint32_t read = PARTITA_REGION_READ | PARTITA_REGION_CHANNEL | PARTITA_REGION_UNCACHED,
                            write = read | PARTITA_REGION_WRITE;
    const std::uint32_t rights[2][3] = {{write, read, write}, {read, write, write}};
    for (std::size_t n = 0; n < 3; ++n) {
        EXPECT_EQ(one[n].pa, two[n].pa);
        EXPECT_EQ(one[n].size, two[n].size);
        EXPECT_EQ(one[n].flags, rights[0][n]);
        EXPECT_EQ(two[n].flags, rights[1][n]);
        for (const PlannedPartition& partition : plan->partitions)
            for (const PlannedRegion& region : partition.regions)
                if ((region.flags & PARTITA_REGION_CHANNEL) == 0)
                    EXPECT_FALSE((AddressRange{region.pa, region.size}.overlaps({one[n].pa, one[n].size})));
    }
    EXPECT_EQ(one[0].size, 0x10000u);
    EXPECT_EQ(one[1].ipa, one[0].ipa + 0x10000) << "one behind the other, so that one mapping shows all";
}

TEST_F(ChannelMemory, ChannelsOfOnePartitionAreApart) {
    ASSERT_EQ(said("size = \"4 KiB\"\n[[channel]]\nname = \"more\"\nkind = \"memory\"\nfrom = \"two\"\nto = \"one\"\nsize = \"4 MiB\"\n"),
              "");
    const auto one = parts(0);
    ASSERT_EQ(one.size(), 2u);
    EXPECT_NE(one[0].pa, one[1].pa);
    EXPECT_NE(one[0].ipa / kBlockSize, one[1].ipa / kBlockSize) << "a guest's sections have one attribute";
    EXPECT_EQ(one[1].pa % kBlockSize, 0u);
    EXPECT_EQ(one[1].ipa % kBlockSize, 0u) << "so that blocks map it";
    EXPECT_EQ(one[1].channel, 1u);
}

TEST_F(ChannelMemory, BothEndsFindItInTheirDeviceTree) {
    ASSERT_EQ(said("size = \"64 KiB\"\nback = \"4 KiB\"\ninterval = \"1 ms\"\n"), "");
    for (const std::size_t n : {0u, 1u}) {
        const void* const fdt = tree(n);
        const int node = fdt_path_offset(fdt, "/hypervisor/channels/frames@0");
        ASSERT_GE(node, 0);
        EXPECT_STREQ(static_cast<const char*>(fdt_getprop(fdt, node, "compatible", nullptr)), "partita,shared-memory");
        EXPECT_STREQ(static_cast<const char*>(fdt_getprop(fdt, node, "partita,attributes", nullptr)), "cached");
        const auto seen = parts(n);
        EXPECT_EQ(cell(fdt, node, n == 0 ? "partita,send-memory" : "partita,receive-memory", 0), seen[0].ipa);
        EXPECT_EQ(cell(fdt, node, n == 0 ? "partita,send-memory" : "partita,receive-memory", 1), 0x10000u);
        EXPECT_EQ(cell(fdt, node, n == 0 ? "partita,receive-memory" : "partita,send-memory", 0), seen[1].ipa);
        EXPECT_EQ(cell(fdt, node, "partita,interval-us", 0), 1000u);
        for (const unsigned part : {0u, 1u}) {
            const int reserved = fdt_node_offset_by_phandle(fdt, cell(fdt, node, "memory-region", part));
            ASSERT_GE(reserved, 0);
            EXPECT_NE(fdt_getprop(fdt, reserved, "no-map", nullptr), nullptr);
            EXPECT_EQ(cell(fdt, reserved, "reg", 1), seen[part].ipa);
        }
        const int uio = fdt_node_offset_by_compatible(fdt, -1, "generic-uio");
        ASSERT_GE(uio, 0);
        EXPECT_EQ(cell(fdt, uio, "reg", 1), seen[0].ipa);
        EXPECT_EQ(cell(fdt, uio, "interrupts", 1) + 32, plan->partitions[n].ports[0].interrupt);
    }
}

TEST_F(ChannelMemory, HasTwoLinesOfAPl061WhereThereIsOne) {
    std::string text =
        system("size = \"64 KiB\"\nback = \"4 KiB\"\n[[channel]]\nname = \"bell\"\nkind = \"doorbell\"\nfrom = \"two\"\nto = \"one\"\n");
    text.insert(text.find("[[channel]]"), "gpio = true\n");
    ASSERT_EQ(complaints(text), "");
    const void* const fdt = tree(1);
    const int node = fdt_path_offset(fdt, "/gpio@9030000");
    ASSERT_GE(node, 0);
    int size = 0;
    const auto* const names = static_cast<const char*>(fdt_getprop(fdt, node, "gpio-line-names", &size));
    const std::string all{names, static_cast<std::size_t>(size)};
    EXPECT_EQ(all, std::string("frames\0frames-ring\0bell\0", 24));
    EXPECT_EQ(cell(fdt, node, "interrupts", 1), 7u);
    EXPECT_LT(fdt_path_offset(tree(0), "/gpio@9030000"), 0);
    EXPECT_NE(show_text(*plan).find("gpio"), std::string::npos);
}

TEST_F(ChannelMemory, APl061NeedsLinesAndHasEight) {
    const auto with = [&](const std::string& channels) {
        std::string text = system("size = \"4 KiB\"\n");
        text.erase(text.find("[[channel]]"));
        return complaints(text + "gpio = true\n" + channels);
    };
    EXPECT_NE(with("").find(":13:8: error: \"two\" has a gpio, but no doorbell or memory that would have a line there; take it out"),
              std::string::npos)
        << with("");
    std::string many;
    for (int n = 0; n < 9; ++n)
        many += "[[channel]]\nname = \"b" + std::to_string(n) + "\"\nkind = \"doorbell\"\nfrom = \"one\"\nto = \"two\"\n";
    EXPECT_NE(with(many).find("are 9 lines; its gpio has 8: leave a channel out"), std::string::npos) << with(many);
}

TEST_F(ChannelMemory, IsShownOnceWithBothOwners) {
    ASSERT_EQ(said("size = \"64 KiB\"\nback = \"4 KiB\"\n"), "");
    const std::string shown = show_text(*plan);
    EXPECT_NE(shown.find("memory, 64 KiB, 4 KiB back"), std::string::npos) << shown;
    EXPECT_NE(shown.find("one, two"), std::string::npos) << shown;
    EXPECT_NE(show_svg(*plan).find("memory, 64 KiB, 4 KiB back"), std::string::npos);
}

TEST_F(ChannelMemory, WhatCannotBeIsSaidWhereItIsWritten) {
    const std::tuple<const char*, const char*, const char*> mistakes[] = {
        {"memory", "", ":13:1: error: channel \"frames\": it needs to be said how much memory; add a line like: size = \"64 KiB\""},
        {"memory", "size = \"100 B\"\n",
         ":18:8: error: channel \"frames\": size must be a multiple of 4 KiB, at most 64 MiB, not 100 B; take 4 KiB"},
        {"memory", "size = \"0 B\"\n", "not 0 B; take 4 KiB"},
        {"memory", "back = \"5 KiB\"\n", "back must be a multiple of 4 KiB, at most 64 MiB, not 5 KiB; take 8 KiB"},
        {"memory", "common = \"65 MiB\"\n", "not 65 MiB; take 64 MiB"},
        {"memory", "size = \"4 KiB\"\nmessage = \"4 B\"\n", "memory carries no message"},
        {"memory", "size = \"4 KiB\"\ndepth = 4\n", "depth is for queuing channels"},
        {"memory", "size = \"4 KiB\"\nrefresh = \"1 ms\"\n", "refresh is for a sampling channel"},
        {"memory", "size = \"4 KiB\"\ntold = true\n", "told is for sampling channels"},
        {"memory", "size = \"4 KiB\"\nattributes = \"writethrough\"\n", "attributes cannot be \"writethrough\""},
        {"doorbell", "size = \"4 KiB\"\n", "size is for memory; take it out, or make it kind = \"memory\""},
        {"doorbell", "attributes = \"uncached\"\n", "attributes are for memory; take it out"},
    };
    for (const auto& [kind, more, expected] : mistakes) EXPECT_NE(said(more, kind).find(expected), std::string::npos) << said(more, kind);
    const std::string several = system("size = \"4 KiB\"\n");
    EXPECT_NE(
        complaints(several + "[[channel]]\nname = \"x\"\nkind = \"memory\"\nfrom = \"one\"\nto = [\"two\", \"one\"]\nsize = \"4 KiB\"\n")
            .find("only a sampling channel has several receivers"),
        std::string::npos);
}

TEST_F(ChannelMemory, MoreThanTheBoardHasIsSaid) {
    std::string many;
    for (int n = 0; n < 17; ++n)
        many += "[[channel]]\nname = \"m" + std::to_string(n) + "\"\nkind = \"memory\"\nfrom = \"one\"\nto = \"two\"\nsize = \"64 MiB\"\n";
    EXPECT_NE(said("size = \"4 KiB\"\n" + many).find("exceed what is left of the board's"), std::string::npos)
        << said("size = \"4 KiB\"\n" + many);
}

}  // namespace
}  // namespace partita::tool
