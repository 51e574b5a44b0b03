#include "config/units.hpp"

#include <fmt/format.h>

#include <charconv>
#include <span>

namespace partita::tool {

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr Unit sizes[] = {{"B", 1}, {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}};
constexpr Unit durations[] = {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}};

std::string names(std::span<const Unit> units) {
    std::string out;
    for (const Unit& unit : units) out += fmt::format("{}{}", out.empty() ? "" : ", ", unit.name);
    return out;
}

std::expected<std::uint64_t, std::string> parse(std::string_view text, std::span<const Unit> units, std::string_view example) {
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc{})
        return std::unexpected(fmt::format("\"{}\" does not begin with a whole number; write it like \"{}\"", text, example));
    std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    while (unit.starts_with(' ')) unit.remove_prefix(1);
    if (unit.empty())
        return std::unexpected(fmt::format("\"{}\" has no unit; write it like \"{}\" (units: {})", text, example, names(units)));
    for (const Unit& known : units) {
        if (known.name != unit) continue;
        if (number > ~std::uint64_t{0} / known.factor) return std::unexpected(fmt::format("\"{}\" is too large", text));
        return number * known.factor;
    }
    return std::unexpected(fmt::format("\"{}\" has an unknown unit \"{}\" (units: {})", text, unit, names(units)));
}

}  // namespace

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) { return parse(text, sizes, "256 MiB"); }
std::expected<std::uint64_t, std::string> parse_duration(std::string_view text) { return parse(text, durations, "5 ms"); }

std::string format_size(std::uint64_t bytes) {
    for (std::size_t n = std::size(sizes); n-- > 1;)
        if (bytes != 0 && bytes % sizes[n].factor == 0) return fmt::format("{} {}", bytes / sizes[n].factor, sizes[n].name);
    return fmt::format("{} B", bytes);
}

std::string format_time(std::uint64_t nanoseconds) {
    for (std::size_t n = std::size(durations); n-- > 1;) {
        const std::uint64_t factor = durations[n].factor;
        if (nanoseconds < factor || nanoseconds % (factor / 1000) != 0) continue;
        std::string text = fmt::format("{}.{:03}", nanoseconds / factor, nanoseconds % factor * 1000 / factor);
        text.resize(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
        return fmt::format("{} {}", text, durations[n].name);
    }
    return fmt::format("{} ns", nanoseconds);
}

}  // namespace partita::tool
