// A disk's partition table with anything on it: nothing beside the disk is read, and a partition that is found lies on it. So that not
// every input fails by its checksums, the input is written over a table that is right, and may be signed again.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "gpt.hpp"

namespace {

using namespace partita::parent;

constexpr std::uint64_t sectors = 64;

void require(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

class Fuzzed final : public DiskReader {
public:
    [[nodiscard]] bool read(std::uint64_t at, std::span<std::uint8_t> to) override {
        require(to.size() <= bytes.size() && at <= bytes.size() - to.size(), "outside of the disk");
        std::memcpy(to.data(), bytes.data() + at, to.size());
        return ++reads_ % 97 != 0;
    }
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(sectors * 512);

private:
    unsigned reads_ = 0;
};

std::uint32_t checksum(const std::uint8_t* at, std::size_t size) {
    std::uint32_t crc = ~0u;
    for (std::size_t n = 0; n < size; ++n) {
        crc ^= at[n];
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb8'8320u : 0u);
    }
    return ~crc;
}

void put(std::uint8_t* at, std::uint32_t value) { std::memcpy(at, &value, 4); }

void sign(std::uint8_t* disk) {
    std::uint8_t* const head = disk + 512;
    std::uint32_t entries = 0;
    std::memcpy(&entries, head + 80, 4);
    if (entries <= 200) put(head + 88, checksum(disk + 1024, entries * 128));
    put(head + 16, 0);
    put(head + 16, checksum(head, 92));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Fuzzed disk;
    std::uint8_t* const head = disk.bytes.data() + 512;
    std::memcpy(head, "EFI PART", 8);
    put(head + 12, 92), put(head + 24, 1), put(head + 72, 2), put(head + 80, 16), put(head + 84, 128);
    std::uint8_t* const entry = head + 512;
    entry[0] = 1, entry[56] = 'a', put(entry + 32, 40), put(entry + 40, 50);
    for (std::size_t n = 1; n + 3 <= size; n += 3) disk.bytes[512 + (data[n] | std::size_t{data[n + 1]} << 8) % (20 * 512)] = data[n + 2];
    if (size != 0 && (data[0] & 1) != 0) sign(disk.bytes.data());
    const GptResult found = find_gpt_partition(disk, sectors, "a");
    if (found.problem == GptResult::Problem::none)
        require(found.sectors != 0 && found.sector < sectors && found.sectors <= sectors - found.sector, "a partition beside the disk");
    require(words_of(found.problem) != nullptr, "words for it");
    return 0;
}
