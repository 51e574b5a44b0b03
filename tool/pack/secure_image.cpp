#include "pack/secure_image.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "partita/secure.h"

namespace partita::tool {

namespace {

constexpr std::uint32_t page_mask = 0xfff;

// Whether the header is one that the monitor can follow: it trusts it.
[[nodiscard]] bool is_good(const Bytes& image, std::uint64_t address) {
    const auto word = [&](std::size_t at) { return little(image, at); };
    const auto text = word(offsetof(partita_secure_header, text_end)), rodata = word(offsetof(partita_secure_header, rodata_end));
    const auto file = word(offsetof(partita_secure_header, file_size)), memory = word(offsetof(partita_secure_header, memory_size));
    const auto entry = word(offsetof(partita_secure_header, entry)) - address;
    return ((text | rodata | memory) & page_mask) == 0 && file % 4 == 0 && text <= rodata && rodata <= memory && file <= memory &&
           file == image.size() && memory <= PARTITA_SECURE_LARGEST && entry < text && entry % 4 == 0;
}

}  // namespace

Bytes flatten(const std::vector<Segment>& segments) {
    Bytes out;
    const std::uint64_t base = segments.front().address;
    for (const Segment& segment : segments) {
        const auto at = static_cast<std::size_t>(segment.address - base);
        if (out.size() < at + segment.bytes.size()) out.resize(at + segment.bytes.size());
        std::copy(segment.bytes.begin(), segment.bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return out;
}

std::expected<Bytes, std::string> secure_image(std::span<const std::uint8_t> file) {
    const auto elf = read_elf(file);
    if (!elf || elf->segments.empty()) return std::unexpected("this is no ELF file for 32-bit Arm; give the secure partition's program");
    const std::uint64_t base = elf->segments.front().address;
    for (const Segment& segment : elf->segments)
        if (segment.address - base >= PARTITA_SECURE_LARGEST || segment.bytes.size() > PARTITA_SECURE_LARGEST)
            return std::unexpected(
                fmt::format("its segments are further apart than {} KiB; link it as secure/secure.ld does", PARTITA_SECURE_LARGEST >> 10));
    Bytes image = flatten(elf->segments);
    if (image.size() < sizeof(partita_secure_header) || little(image, 0) != PARTITA_SECURE_MAGIC || !is_good(image, base))
        return std::unexpected(
            "its image does not begin with the header of a secure partition (abi/partita/secure.h); build it anew, or correct the header");
    return image;
}

}  // namespace partita::tool
