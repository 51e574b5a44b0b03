#include "boot/firmware_tree.hpp"

#include <gtest/gtest.h>
extern "C" {
#include <libfdt.h>
}

#include "random.hpp"
#include <string>
#include <vector>

namespace partita {
namespace {

std::vector<std::byte> tree_with(const std::string& seed) {
    std::vector<std::byte> out(2048);
    void* const fdt = out.data();
    EXPECT_EQ(fdt_create_empty_tree(fdt, static_cast<int>(out.size())), 0);
    const int other = fdt_add_subnode(fdt, 0, "other");
    fdt_setprop_string(fdt, other, "rng-seed", "not this one");
    const int chosen = fdt_add_subnode(fdt, 0, "chosen");
    fdt_setprop_string(fdt, chosen, "bootargs", "x");
    fdt_setprop(fdt, chosen, "rng-seed", seed.data(), static_cast<int>(seed.size()));
    const int deeper = fdt_add_subnode(fdt, chosen, "chosen");
    fdt_setprop_string(fdt, deeper, "deep", "hidden");
    return out;
}

std::string text(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

TEST(FirmwareTree, FindsTheSeed) {
    const auto tree = tree_with("0123456789abcdef");
    EXPECT_EQ(text(find_property(tree, "chosen", "rng-seed")), "0123456789abcdef");
    EXPECT_TRUE(find_property(tree, "chosen", "kaslr-seed").empty());
    EXPECT_TRUE(find_property(tree, "chosen", "deep").empty());
    EXPECT_TRUE(find_property(tree, "chosenx", "rng-seed").empty());
    EXPECT_TRUE(find_property(tree, "chose", "rng-seed").empty());
}

TEST(FirmwareTree, SkipsNops) {
    auto tree = tree_with("seed");
    const int chosen = fdt_path_offset(tree.data(), "/chosen");
    ASSERT_EQ(fdt_nop_property(tree.data(), chosen, "bootargs"), 0);
    EXPECT_EQ(text(find_property(tree, "chosen", "rng-seed")), "seed");
}

// Any cut and any damaged byte gives an answer inside the tree, or none.
TEST(FirmwareTree, IsTotal) {
    const auto tree = tree_with("0123456789abcdef");
    for (std::size_t size = 0; size < 400; ++size) EXPECT_TRUE(find_property(std::span{tree}.first(size), "chosen", "rng-seed").empty());
    Random random{2};
    for (int n = 0; n < 200'000; ++n) {
        auto damaged = tree;
        for (unsigned times = random() % 4 + 1; times != 0; --times) damaged[random() % 300] = static_cast<std::byte>(random());
        const auto found = find_property(damaged, "chosen", "rng-seed");
        if (!found.empty()) ASSERT_LE(found.data() + found.size(), damaged.data() + damaged.size());
    }
}

}  // namespace
}  // namespace partita
