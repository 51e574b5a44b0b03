// Sizes and times as people write them: a number and a unit, never a bare number.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace partita::tool {

// "256 MiB" in bytes; the error says what was expected.
[[nodiscard]] std::expected<std::uint64_t, std::string> parse_size(std::string_view text);
// "5 ms" in nanoseconds.
[[nodiscard]] std::expected<std::uint64_t, std::string> parse_duration(std::string_view text);
// 268435456 as "256 MiB".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

// 2500000 nanoseconds as "2.5 ms": the largest unit in which it has at most three digits behind the point.
[[nodiscard]] std::string format_time(std::uint64_t nanoseconds);

}  // namespace partita::tool
