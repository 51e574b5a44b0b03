// Guest images: what a file is, and what it needs.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace partita::tool {

using Bytes = std::vector<std::uint8_t>;

// Little- and big-endian words; the caller has checked the bounds.
[[nodiscard]] std::uint32_t little(std::span<const std::uint8_t> bytes, std::size_t at);
[[nodiscard]] std::uint32_t big(std::span<const std::uint8_t> bytes, std::size_t at);

// A part of an image and the address that it wants.
struct Segment {
    std::uint64_t address = 0;
    Bytes bytes;
    std::uint64_t memory_size = 0;  // bytes.size() and what is zero behind it
};

struct ElfImage {
    std::uint64_t entry = 0;  // physical
    std::vector<Segment> segments;
};

struct ZImage {
    std::uint64_t unpacked_size = 0;        // of kernel and bss; 0: the image does not say
    std::uint64_t text_offset = 0x30'8000;  // from the begin of RAM to where it unpacks itself; the largest there is, if not said
    std::uint64_t heap_size = 0x1'0000;     // that unpacking takes behind the image, beside its stack
};

struct UImage {
    std::uint64_t load = 0, entry = 0;
    Bytes payload;
    std::string name;
};

// Each reader is total: any bytes give an image or a sentence that says why not.
[[nodiscard]] std::expected<ElfImage, std::string> read_elf(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::expected<ZImage, std::string> read_zimage(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::expected<UImage, std::string> read_uimage(std::span<const std::uint8_t> bytes);

// "zimage", "elf", "uimage", or what else the first bytes say in words ("a gzip file"); "" for no idea.
[[nodiscard]] std::string recognise(std::span<const std::uint8_t> bytes);

}  // namespace partita::tool
