#include "loader.hpp"

#include <algorithm>
#include <array>

namespace partita::secure {

using std::uint32_t;

namespace {

constexpr uint32_t piece = 512;

[[nodiscard]] bool copy(const Copier& copier, partita_flash_segment segment) {
    alignas(4) std::array<std::uint8_t, piece> bytes;
    while (segment.size != 0) {
        // Never more than is left, nor over the end of the addresses.
        const uint32_t part = std::min(segment.size, piece - segment.address % piece);
        if (!copier.read(copier.context, segment.offset, bytes.data(), part) ||
            !copier.write(copier.context, segment.address, bytes.data(), part))
            return false;
        segment.address += part, segment.offset += part, segment.size -= part;
    }
    return true;
}

}  // namespace

const char* load_system(const Copier& copier) {
    partita_flash_system header;
    if (!copier.read(copier.context, 0, &header, sizeof header) || header.magic != PARTITA_FLASH_SYSTEM_MAGIC)
        return "there is none in the flash";
    if (header.segments > PARTITA_FLASH_SEGMENTS) return "the flash says that it has more segments than there can be";
    for (uint32_t n = 0; n < header.segments; ++n) {
        partita_flash_segment segment;
        if (!copier.read(copier.context, static_cast<uint32_t>(sizeof header + n * sizeof segment), &segment, sizeof segment) ||
            ((segment.address | segment.offset | segment.size) & 3) != 0 || !copy(copier, segment))
            return "a segment in the flash leads out of the flash, or out of RAM";
    }
    return nullptr;
}

}  // namespace partita::secure
