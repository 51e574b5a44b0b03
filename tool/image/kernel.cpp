#include "image/kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace partita::tool {

using std::uint32_t;

namespace {

constexpr uint32_t zimage_magic = 0x016f2818;        // at 0x24 (Linux: Documentation/arch/arm/booting)
constexpr uint32_t zimage_table_magic = 0x45454545;  // at 0x34: a table of tags follows at the offset in 0x38
constexpr uint32_t tag_kernel_size = 0x5a534c4b;     // "KLSZ"
constexpr uint32_t uimage_magic = 0x27051956;

bool starts_with(std::span<const std::uint8_t> bytes, std::string_view magic, std::size_t at = 0) {
    return bytes.size() >= at + magic.size() && std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

}  // namespace

uint32_t little(std::span<const std::uint8_t> bytes, std::size_t at) {
    return bytes[at] | static_cast<uint32_t>(bytes[at + 1]) << 8 | static_cast<uint32_t>(bytes[at + 2]) << 16 |
           static_cast<uint32_t>(bytes[at + 3]) << 24;
}

uint32_t big(std::span<const std::uint8_t> bytes, std::size_t at) { return __builtin_bswap32(little(bytes, at)); }

std::string recognise(std::span<const std::uint8_t> bytes) {
    using namespace std::string_view_literals;
    if (starts_with(bytes, "\177ELF"sv)) return "elf";
    if (bytes.size() >= 0x28 && little(bytes, 0x24) == zimage_magic) return "zimage";
    if (bytes.size() >= 64 && big(bytes, 0) == uimage_magic) return "uimage";
    if (starts_with(bytes, "\037\213"sv)) return "a gzip file";
    if (starts_with(bytes, "\3757zXZ"sv)) return "an xz file";
    if (starts_with(bytes, "070701"sv)) return "a cpio archive (an initrd?)";
    if (starts_with(bytes, "ARM\144"sv, 0x38)) return "a 64-bit Arm kernel";
    if (starts_with(bytes, "MZ"sv)) return "a PE (EFI) program";
    if (starts_with(bytes, "!<arch>"sv)) return "an archive (a .deb package?)";
    return "";
}

std::expected<ElfImage, std::string> read_elf(std::span<const std::uint8_t> bytes) {
    constexpr std::size_t header_size = 52, program_header_size = 32;
    constexpr std::uint8_t class32 = 1, little_endian = 1;
    constexpr uint32_t machine_arm = 40, load = 1;
    if (recognise(bytes) != "elf" || bytes.size() < header_size) return std::unexpected("it is not an ELF file");
    if (bytes[4] != class32 || bytes[5] != little_endian)
        return std::unexpected("it is an ELF file, but not for a 32-bit little-endian CPU");
    if ((little(bytes, 0x12) & 0xffffu) != machine_arm) return std::unexpected("it is an ELF file, but not for Arm");
    const std::uint64_t table = little(bytes, 0x1c), count = little(bytes, 0x2c) & 0xffffu, each = little(bytes, 0x28) >> 16;
    if (each != program_header_size || table > bytes.size() || count * each > bytes.size() - table)
        return std::unexpected("its program headers lie outside the file: it is damaged");
    const std::uint64_t entry = little(bytes, 0x18);
    ElfImage out;
    bool entry_found = false;
    for (std::uint64_t n = 0; n < count; ++n) {
        const auto at = static_cast<std::size_t>(table + n * each);
        if (little(bytes, at) != load) continue;
        const std::uint64_t offset = little(bytes, at + 4), virtual_address = little(bytes, at + 8), physical = little(bytes, at + 12),
                            file_size = little(bytes, at + 16), memory_size = little(bytes, at + 20);
        if (memory_size == 0) continue;
        if (offset > bytes.size() || file_size > bytes.size() - offset || file_size > memory_size)
            return std::unexpected(fmt::format("its segment {} lies outside the file: it is damaged", n));
        const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
        out.segments.push_back({physical, Bytes{begin, begin + static_cast<std::ptrdiff_t>(file_size)}, memory_size});
        // The entry is a virtual address: the CPU starts at the same place of the segment's physical one.
        if (!entry_found && (entry & ~1ull) >= virtual_address && (entry & ~1ull) < virtual_address + memory_size) {
            out.entry = entry - virtual_address + physical;
            entry_found = true;
        }
    }
    if (out.segments.empty()) return std::unexpected("it has nothing to load: is it an object file? Link it first");
    if (!entry_found) return std::unexpected("its entry point lies in none of its segments");
    return out;
}

std::expected<ZImage, std::string> read_zimage(std::span<const std::uint8_t> bytes) {
    if (recognise(bytes) != "zimage" || bytes.size() < 0x3c) return std::unexpected("it has no zImage header");
    const std::uint64_t begin = little(bytes, 0x28), end = little(bytes, 0x2c);
    if (end < begin || end - begin > bytes.size()) return std::unexpected("it is shorter than its header says: it was cut off");
    ZImage out;
    if (little(bytes, 0x34) != zimage_table_magic) return out;
    // Tags of {size in words, tag, data …}, ended by a size of 0. KLSZ: where the unpacked size stands, the size of bss, and in
    // newer kernels TEXT_OFFSET and the size of the heap.
    for (std::size_t at = little(bytes, 0x38); at + 16 <= bytes.size();) {
        const std::size_t words = little(bytes, at);
        if (words < 2 || words > 64) break;
        if (little(bytes, at + 4) == tag_kernel_size && words >= 4) {
            const std::size_t where = little(bytes, at + 8);
            if (where + 4 <= bytes.size()) out.unpacked_size = std::uint64_t{little(bytes, where)} + little(bytes, at + 12);
            if (words >= 6 && at + 24 <= bytes.size()) {
                out.text_offset = little(bytes, at + 16);
                out.heap_size = little(bytes, at + 20);
            }
            break;
        }
        at += words * 4;
    }
    return out;
}

std::expected<UImage, std::string> read_uimage(std::span<const std::uint8_t> bytes) {
    constexpr std::size_t header_size = 64;
    constexpr std::uint8_t arm = 2, kernel = 2, standalone = 1, uncompressed = 0;
    if (recognise(bytes) != "uimage") return std::unexpected("it has no U-Boot header");
    const std::size_t size = big(bytes, 12);
    if (size > bytes.size() - header_size) return std::unexpected("it is shorter than its header says: it was cut off");
    if (bytes[29] != arm) return std::unexpected("its header says that it is not for 32-bit Arm");
    if (bytes[30] != kernel && bytes[30] != standalone)
        return std::unexpected("its header says that it is neither a kernel nor a standalone program");
    if (bytes[31] != uncompressed) return std::unexpected("it is compressed; unpack it first");
    UImage out;
    out.load = big(bytes, 16);
    out.entry = big(bytes, 20);
    out.payload.assign(bytes.begin() + header_size, bytes.begin() + static_cast<std::ptrdiff_t>(header_size + size));
    const auto* const name = reinterpret_cast<const char*>(bytes.data() + 32);
    out.name.assign(name, strnlen(name, 32));
    return out;
}

}  // namespace partita::tool
