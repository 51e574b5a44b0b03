#include "image/serves.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "image/kernel.hpp"

namespace partita::tool {

using std::uint32_t;

namespace {

constexpr std::size_t header_size = 52, section_header_size = 40;

// So many bytes of the file; nothing where it has not as many.
[[nodiscard]] std::string_view part(std::span<const std::uint8_t> bytes, std::uint64_t at, std::uint64_t size) {
    if (at > bytes.size() || size > bytes.size() - at) return {};
    return {reinterpret_cast<const char*>(bytes.data()) + at, static_cast<std::size_t>(size)};
}

// The bytes of the section of that name (System V ABI, Sections).
[[nodiscard]] std::string_view section(std::span<const std::uint8_t> bytes, std::string_view name) {
    if (recognise(bytes) != "elf" || bytes.size() < header_size || bytes[4] != 1 || bytes[5] != 1) return {};
    const std::uint64_t table = little(bytes, 0x20), count = little(bytes, 0x30) & 0xffffu;
    const uint32_t names = little(bytes, 0x30) >> 16;
    if ((little(bytes, 0x2c) >> 16) != section_header_size || part(bytes, table, count * section_header_size).empty() || names >= count)
        return {};
    const auto content = [&](std::uint64_t n) {
        const auto at = static_cast<std::size_t>(table + n * section_header_size);
        return part(bytes, little(bytes, at + 16), little(bytes, at + 20));
    };
    const std::string_view all_names = content(names);
    for (std::uint64_t n = 0; n < count; ++n) {
        const std::size_t at = little(bytes, static_cast<std::size_t>(table + n * section_header_size));
        if (at < all_names.size() && all_names.substr(at, all_names.find('\0', at) - at) == name) return content(n);
    }
    return {};
}

}  // namespace

std::optional<Serves> read_serves(std::span<const std::uint8_t> bytes) {
    std::string_view text = section(bytes, ".partita.serves");
    if (text.empty()) return std::nullopt;
    text = text.substr(0, text.find('\0'));
    Serves out;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        const std::size_t equals = word.find('=');
        uint32_t count = 0;
        if (equals == std::string_view::npos) continue;
        const auto [end, error] = std::from_chars(word.data() + equals + 1, word.data() + word.size(), count);
        if (error == std::errc{} && end == word.data() + word.size()) out[std::string{word.substr(0, equals)}] = count;
    }
    return out;
}

}  // namespace partita::tool
