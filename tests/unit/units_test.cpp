#include "config/units.hpp"

#include <gtest/gtest.h>

#include "config/diagnostic.hpp"

namespace partita::tool {
namespace {

TEST(Units, SizesAndTimes) {
    EXPECT_EQ(parse_size("256 MiB"), 256u << 20);
    EXPECT_EQ(parse_size("4KiB"), 4096u);
    EXPECT_EQ(parse_duration("5 ms"), 5'000'000u);
    EXPECT_EQ(parse_duration("2s"), 2'000'000'000u);
    EXPECT_EQ(format_size(3u << 20), "3 MiB");
    EXPECT_EQ(format_size(1500), "1500 B");
}

TEST(Units, SayWhatIsWrong) {
    EXPECT_EQ(parse_size("256").error(), "\"256\" has no unit; write it like \"256 MiB\" (units: B, KiB, MiB, GiB)");
    EXPECT_EQ(parse_size("256 MB").error(), "\"256 MB\" has an unknown unit \"MB\" (units: B, KiB, MiB, GiB)");
    EXPECT_EQ(parse_duration("fast").error(), "\"fast\" does not begin with a whole number; write it like \"5 ms\"");
    EXPECT_EQ(parse_size("99999999999999 GiB").error(), "\"99999999999999 GiB\" is too large");
    EXPECT_FALSE(parse_size("-5 MiB"));
    EXPECT_FALSE(parse_size(""));
}

TEST(Suggestions, AreNear) {
    EXPECT_EQ(nearest("memmory", {"memory", "kernel"}), "memory");
    EXPECT_EQ(nearest("kenrel", {"memory", "kernel"}), "kernel");
    EXPECT_EQ(nearest("frobnicate", {"memory", "kernel"}), "");
}

}  // namespace
}  // namespace partita::tool
