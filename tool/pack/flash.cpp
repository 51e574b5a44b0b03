#include "pack/flash.hpp"

#include <bearssl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "memory_flash.hpp"
#include "partita/flash.h"
#include "state.hpp"

namespace partita::tool {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t alignment = 4;

[[nodiscard]] bool is_in_flash(const MonitorPlace& place, const Segment& segment) {
    return segment.address - place.flash.begin < place.flash.size;
}

void append(Bytes& out, const void* from, std::size_t size) {
    const auto* const bytes = static_cast<const std::uint8_t*>(from);
    out.insert(out.end(), bytes, bytes + size);
}

// Those of RAM, each with the zeros that are measured behind it: small gaps are zeros, too, whatever was in RAM before.
[[nodiscard]] std::vector<Segment> segments_of_system(const MonitorPlace& place, const SystemImage& image) {
    constexpr std::uint64_t small = 1u << 20;
    std::vector<Segment> sorted, out;
    std::ranges::copy_if(image.segments, std::back_inserter(sorted), [&](const Segment& segment) { return !is_in_flash(place, segment); });
    std::ranges::sort(sorted, {}, &Segment::address);
    for (Segment& segment : sorted) {
        const bool near = !out.empty() && segment.address - (out.back().address + out.back().bytes.size()) < small;
        if (near) {
            out.back().bytes.resize(segment.address - out.back().address);
            out.back().bytes.insert(out.back().bytes.end(), segment.bytes.begin(), segment.bytes.end());
        } else {
            out.push_back(std::move(segment));
        }
    }
    for (Segment& segment : out) segment.bytes.resize((segment.bytes.size() + alignment - 1) / alignment * alignment);
    return out;
}

// What outlives a reset, of a board that has not been started yet. The words are as the board's CPUs see them: little-endian.
[[nodiscard]] std::expected<Bytes, std::string> first_state(std::uint64_t block) {
    secure::Hash random;
    br_hmac_drbg_context generator;
    br_hmac_drbg_init(&generator, &br_sha256_vtable, nullptr, 0);
    const br_prng_seeder seeder = br_prng_seeder_system(nullptr);
    if (seeder == nullptr || seeder(&generator.vtable) == 0) return std::unexpected("this machine has no source of random numbers");
    br_hmac_drbg_generate(&generator, random.data(), random.size());
    secure::MemoryFlash flash{static_cast<std::uint32_t>(block)};
    secure::use_flash(&flash);
    const bool good = secure::provide_seed(random);
    secure::use_flash(nullptr);
    if (!good) return std::unexpected("no state could be made");
    Bytes out;
    for (const std::uint32_t word : flash.words)
        for (unsigned n = 0; n < 4; ++n) out.push_back(static_cast<std::uint8_t>(word >> n * 8));
    return out;
}

// A file of this size, of nothing but zeros. The error is a sentence.
[[nodiscard]] std::string make_file(const fs::path& path, std::uint64_t size) {
    std::error_code error;
    if (!std::ofstream{path, std::ios::binary | std::ios::trunc})
        return fmt::format("cannot write {}; may you write to this folder?", path.string());
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write, error);  // the board's key is in it
    if (!error) fs::resize_file(path, size, error);
    return error ? fmt::format("cannot make {} as large as the flash is: {}", path.string(), error.message()) : std::string{};
}

[[nodiscard]] std::string write_at(const fs::path& path, std::uint64_t at, const Bytes& bytes) {
    std::fstream out{path, std::ios::binary | std::ios::in | std::ios::out};
    out.seekp(static_cast<std::streamoff>(at));
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return out.flush() ? std::string{} : fmt::format("cannot write {}; is the disk full?", path.string());
}

[[nodiscard]] std::string write_secure(const MonitorPlace& place, const SystemImage& image, const fs::path& path) {
    if (!fs::exists(path)) {
        const auto state = first_state(place.flash_block);
        if (!state) return state.error();
        if (std::string wrong = make_file(path, place.flash.size); !wrong.empty()) return wrong;
        if (std::string wrong = write_at(path, PARTITA_FLASH_STATE_AT, *state); !wrong.empty()) return wrong;
    }
    if (!fs::is_regular_file(path) || fs::file_size(path) != place.flash.size)
        return fmt::format("{} is not a flash of this board, which has {} bytes; choose another folder", path.string(), place.flash.size);
    Bytes firmware(PARTITA_FLASH_STATE_AT);
    for (const Segment& segment : image.segments) {
        if (!is_in_flash(place, segment)) continue;
        const std::uint64_t at = segment.address - place.flash.begin;
        if (at + segment.bytes.size() > firmware.size()) return "monitor and secure partition do not fit into the board's flash";
        std::ranges::copy(segment.bytes, firmware.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return write_at(path, 0, firmware);
}

}  // namespace

FlashFiles flash_files(const fs::path& folder) { return {folder / "secure.flash", folder / "system.flash"}; }

std::expected<Bytes, std::string> system_flash(const Board& board, const SystemImage& image) {
    const std::vector<Segment> segments = segments_of_system(*board.monitor, image);
    if (segments.size() > PARTITA_FLASH_SEGMENTS)
        return std::unexpected(
            fmt::format("the system has {} segments; the flash's table has room for {}", segments.size(), PARTITA_FLASH_SEGMENTS));
    const partita_flash_system header{PARTITA_FLASH_SYSTEM_MAGIC, static_cast<std::uint32_t>(segments.size())};
    std::uint64_t offset = sizeof header + segments.size() * sizeof(partita_flash_segment);
    Bytes out;
    append(out, &header, sizeof header);
    for (const Segment& segment : segments) {
        const partita_flash_segment entry{static_cast<std::uint32_t>(segment.address), static_cast<std::uint32_t>(offset),
                                          static_cast<std::uint32_t>(segment.bytes.size())};
        append(out, &entry, sizeof entry);
        offset += segment.bytes.size();
    }
    if (offset > board.monitor->system_flash.size)
        return std::unexpected(
            fmt::format("the system has {} bytes, but the board's flash for it {}; take out what is large, or compress it", offset,
                        board.monitor->system_flash.size));
    for (const Segment& segment : segments) append(out, segment.bytes.data(), segment.bytes.size());
    return out;
}

std::expected<FlashFiles, std::string> write_flash(const Board& board, const SystemImage& image, const fs::path& folder) {
    FlashFiles files = flash_files(folder);
    const auto system = system_flash(board, image);
    if (!system) return std::unexpected(system.error());
    std::error_code error;
    fs::create_directories(folder, error);
    std::string wrong = write_secure(*board.monitor, image, files.secure);
    if (wrong.empty()) wrong = make_file(files.system, board.monitor->system_flash.size);
    if (wrong.empty()) wrong = write_at(files.system, 0, *system);
    if (!wrong.empty()) return std::unexpected(std::move(wrong));
    return files;
}

}  // namespace partita::tool
