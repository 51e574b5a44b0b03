#include "plan/guest_tree.hpp"

extern "C" {
#include <libfdt.h>
}

#include "plan_fixture.hpp"

namespace partita::tool {
namespace {

class GuestTreeTest : public PlanFixture {
protected:
    GuestTreeTest() {
        GuestTreeRequest request;
        request.cpus = 2;
        request.memory = 256u << 20;
        request.bootargs = "console=ttyAMA0";
        request.initrd_begin = 0x4400'0000, request.initrd_end = 0x4400'1234;
        request.board = &board;
        request.devices = {board.find("rtc0")};
        request.watchdog = true;
        tree = make_guest_tree(request);
        fdt = tree.bytes.data();
    }
    std::vector<std::uint32_t> cells(const char* path, const char* name) {
        int size = 0;
        const auto* const value = static_cast<const std::uint8_t*>(fdt_getprop(fdt, fdt_path_offset(fdt, path), name, &size));
        std::vector<std::uint32_t> out;
        for (int at = 0; value != nullptr && at + 4 <= size; at += 4)
            out.push_back(big({value, static_cast<std::size_t>(size)}, static_cast<std::size_t>(at)));
        return out;
    }
    std::string text(const char* path, const char* name) {
        const auto* const value = static_cast<const char*>(fdt_getprop(fdt, fdt_path_offset(fdt, path), name, nullptr));
        return value == nullptr ? "" : value;
    }
    GuestTree tree;
    const void* fdt = nullptr;
};

using Words = std::vector<std::uint32_t>;

TEST_F(GuestTreeTest, DescribesTheVirtualPlatform) {
    EXPECT_EQ(fdt_check_full(fdt, tree.bytes.size()), 0);
    EXPECT_EQ(cells("/memory@40000000", "reg"), (Words{0, 0x4000'0000, 0, 0x1000'0000}));
    EXPECT_EQ(cells("/cpus/cpu@1", "reg"), (Words{1}));
    EXPECT_EQ(text("/cpus/cpu@1", "enable-method"), "psci");
    EXPECT_EQ(text("/psci", "method"), "hvc");
    EXPECT_EQ(cells("/timer", "interrupts"), (Words{1, 13, 0x304, 1, 14, 0x304, 1, 11, 0x304, 1, 10, 0x304}));
    EXPECT_EQ(cells("/pl011@9000000", "interrupts"), (Words{0, 1, 4}));
    EXPECT_EQ(text("/chosen", "bootargs"), "console=ttyAMA0");
    EXPECT_EQ(cells("/chosen", "linux,initrd-end"), (Words{0, 0x4400'1234}));
    EXPECT_EQ(cells("/", "interrupt-parent"), cells("/intc@8000000", "phandle"));
}

TEST_F(GuestTreeTest, AssignedDevicesAreCopied) {
    EXPECT_EQ(text("/pl031@9010000", "compatible"), "arm,pl031");
    EXPECT_EQ(cells("/pl031@9010000", "reg"), (Words{0, 0x0901'0000, 0, 0x1000}));
    EXPECT_EQ(cells("/pl031@9010000", "interrupts"), (Words{0, 2, 4}));
    EXPECT_EQ(cells("/pl031@9010000", "clocks"), cells("/apb-pclk", "phandle"));
}

TEST_F(GuestTreeTest, TheWatchdogIsAnSp805WithItsClock) {
    EXPECT_EQ(text("/watchdog@9080000", "compatible"), "arm,sp805");
    EXPECT_EQ(cells("/watchdog@9080000", "interrupts"), (Words{0, 10, 4}));
    EXPECT_EQ(cells("/watchdog@9080000", "clocks").size(), 2u);
    EXPECT_EQ(text("/watchdog@9080000", "clock-names"), "wdog_clk");
}

TEST_F(GuestTreeTest, WhatDiffersFromLifeToLifeIsWherePatchesSay) {
    Bytes filled = tree.bytes;
    ASSERT_EQ(tree.patches.size(), 4u);
    EXPECT_EQ(tree.patches[2].kind, PARTITA_PATCH_RESET_REASON);
    EXPECT_EQ(tree.patches[3].kind, PARTITA_PATCH_STARTS);
    for (const std::size_t n : {2u, 3u}) {
        EXPECT_EQ(tree.patches[n].size, 4u);
        filled[tree.patches[n].ipa + 3] = static_cast<std::uint8_t>(n);
    }
    fdt = filled.data();
    EXPECT_EQ(cells("/hypervisor", "partita,reset-reason"), Words{2});
    EXPECT_EQ(cells("/hypervisor", "partita,starts"), Words{3});
}

// The patches point at the seeds, and the NOPs that replace them leave a tree without them.
TEST_F(GuestTreeTest, SeedsAreWherePatchesSay) {
    ASSERT_EQ(tree.patches.size(), 4u);
    Bytes filled = tree.bytes;
    for (std::uint32_t n = 0; n < 64; ++n) filled[tree.patches[0].ipa + n] = 0x77;
    int size = 0;
    const int chosen = fdt_path_offset(filled.data(), "/chosen");
    const auto* const seed = static_cast<const std::uint8_t*>(fdt_getprop(filled.data(), chosen, "rng-seed", &size));
    ASSERT_EQ(size, 64);
    EXPECT_EQ(seed[0] + seed[63], 0x77 * 2);
    for (const PlannedPatch& patch : {tree.patches[0], tree.patches[1]})
        for (std::uint64_t at = patch.ipa - patch.nop_before; at < patch.ipa - patch.nop_before + patch.nop_size; ++at)
            filled[at] = at % 4 == 3 ? 4 : 0;
    EXPECT_EQ(fdt_check_full(filled.data(), filled.size()), 0);
    EXPECT_EQ(fdt_getprop(filled.data(), chosen, "rng-seed", nullptr), nullptr);
    EXPECT_EQ(fdt_getprop(filled.data(), chosen, "kaslr-seed", nullptr), nullptr);
    EXPECT_NE(fdt_getprop(filled.data(), chosen, "bootargs", nullptr), nullptr);
}

}  // namespace
}  // namespace partita::tool
