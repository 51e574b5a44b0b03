// The partitions of a disk, by name: GUID Partition Table (UEFI 2.10 §5.3). What is on the disk is believed only where its checksums say
// so.
#pragma once

#include <cstdint>
#include <span>

namespace partita::parent {

// Reads bytes of the disk. False: they could not be read.
class DiskReader {
public:
    [[nodiscard]] virtual bool read(std::uint64_t at, std::span<std::uint8_t> to) = 0;

protected:
    ~DiskReader() = default;
};

struct GptResult {
    enum class Problem : std::uint8_t {
        none,
        unreadable,  // the disk says so
        no_table,    // neither at its begin nor at its end
        damaged,     // there is one, and both of its copies are wrong
        no_such,     // no partition has the name
        twice,       // two have
    };
    Problem problem;
    std::uint64_t sector = 0, sectors = 0;
};
[[nodiscard]] const char* words_of(GptResult::Problem problem);

// Where the partition of that name is, on a disk of so many sectors of 512 bytes.
[[nodiscard]] GptResult find_gpt_partition(DiskReader& disk, std::uint64_t sectors, const char* name);

}  // namespace partita::parent
