// Partitions of a disk by name, against tables that are written here by the specification (UEFI 2.10 §5.3), whole and damaged.
#include "gpt.hpp"

#include <gtest/gtest.h>

#include "random.hpp"

namespace partita::parent {
namespace {

using Problem = GptResult::Problem;
constexpr std::uint64_t sectors = 2048;

class FakeDisk final : public DiskReader {
public:
    [[nodiscard]] bool read(std::uint64_t at, std::span<std::uint8_t> to) override {
        EXPECT_LE(at + to.size(), bytes.size());
        for (const std::uint64_t bad : unreadable)
            if (at <= bad * 512 && bad * 512 < at + to.size()) return false;
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), to.size(), to.begin());
        return true;
    }
    template <typename Value>
    void put(std::uint64_t at, Value value) {
        std::memcpy(bytes.data() + at, &value, sizeof value);
    }
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(sectors * 512);
    std::vector<std::uint64_t> unreadable;
};

struct Part {
    const char* name;
    std::uint64_t first, last;
};

// Bit by bit, by the polynomial as it is written: most significant first, and turned round.
std::uint32_t checksum(const std::uint8_t* at, std::size_t size) {
    std::uint32_t crc = ~0u;
    const auto turned = [](std::uint32_t value, int bits) {
        std::uint32_t out = 0;
        for (int n = 0; n < bits; ++n) out |= (value >> n & 1u) << (bits - 1 - n);
        return out;
    };
    for (std::size_t n = 0; n < size; ++n) {
        crc ^= turned(at[n], 8) << 24;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000'0000u) != 0 ? crc << 1 ^ 0x04c1'1db7u : crc << 1;
    }
    return ~turned(crc, 32);
}

class Gpt : public testing::Test {
protected:
    void write(const std::vector<Part>& parts, std::uint32_t entries = 128) {
        write_copy(1, sectors - 1, 2, parts, entries);
        write_copy(sectors - 1, 1, sectors - 1 - entries / 4, parts, entries);
    }
    void write_copy(std::uint64_t own, std::uint64_t other, std::uint64_t table, const std::vector<Part>& parts, std::uint32_t entries) {
        const std::uint64_t at = table * 512;
        for (std::size_t n = 0; n < parts.size(); ++n) {
            const std::uint64_t entry = at + (n * 2 + 1) * 128;  // some are not used
            disk.put<std::uint64_t>(entry, 0x1234 + n);
            disk.put<std::uint64_t>(entry + 16, n + 1);
            disk.put<std::uint64_t>(entry + 32, parts[n].first);
            disk.put<std::uint64_t>(entry + 40, parts[n].last);
            for (std::size_t c = 0; parts[n].name[c] != 0; ++c)
                disk.bytes[entry + 56 + c * 2] = static_cast<std::uint8_t>(parts[n].name[c]);
        }
        const std::uint64_t head = own * 512;
        std::memcpy(disk.bytes.data() + head, "EFI PART", 8);
        disk.put<std::uint32_t>(head + 8, 0x0001'0000);
        disk.put<std::uint32_t>(head + 12, 92);
        disk.put<std::uint64_t>(head + 24, own);
        disk.put<std::uint64_t>(head + 32, other);
        disk.put<std::uint64_t>(head + 72, table);
        disk.put<std::uint32_t>(head + 80, entries);
        disk.put<std::uint32_t>(head + 84, 128);
        disk.put<std::uint32_t>(head + 88, checksum(disk.bytes.data() + at, entries * 128));
        sign(own);
    }
    void sign(std::uint64_t own) {
        disk.put<std::uint32_t>(own * 512 + 16, 0);
        disk.put<std::uint32_t>(own * 512 + 16, checksum(disk.bytes.data() + own * 512, 92));
    }
    [[nodiscard]] Problem problem(const char* name) { return find_gpt_partition(disk, sectors, name).problem; }

    FakeDisk disk;
};

TEST_F(Gpt, FindsPartitionsByTheirNames) {
    const char* const longest = "123456789012345678901234567890123456";
    write({{"boot", 64, 127}, {"root-a", 128, 1000}, {longest, 1001, 1001}});
    const GptResult root = find_gpt_partition(disk, sectors, "root-a");
    EXPECT_EQ(root.problem, Problem::none);
    EXPECT_EQ(root.sector, 128u);
    EXPECT_EQ(root.sectors, 873u);
    EXPECT_EQ(find_gpt_partition(disk, sectors, longest).sectors, 1u);
    for (const char* const none :
         {"root", "root-ab", "", "Boot", "12345678901234567890123456789012345", "1234567890123456789012345678901234567"})
        EXPECT_EQ(problem(none), Problem::no_such) << none;
}

TEST_F(Gpt, TheCopyAtTheEndCountsWhereTheFirstIsDamaged) {
    write({{"root", 64, 127}});
    disk.bytes[512 + 20] ^= 1;
    EXPECT_EQ(problem("root"), Problem::none);
    write({{"root", 64, 127}});
    disk.bytes[2 * 512 + 128 + 56] ^= 1;
    EXPECT_EQ(problem("root"), Problem::none) << "an entry";
    disk.unreadable = {1};
    EXPECT_EQ(problem("root"), Problem::none);
    disk.unreadable = {1, sectors - 1};
    EXPECT_EQ(problem("root"), Problem::unreadable);
    disk.unreadable = {};
    disk.bytes[(sectors - 1) * 512] = 0;
    EXPECT_EQ(problem("root"), Problem::damaged);
}

TEST_F(Gpt, WhatItCannotBelieveIsTold) {
    EXPECT_EQ(problem("root"), Problem::no_table);
    EXPECT_EQ(find_gpt_partition(disk, 2, "root").problem, Problem::no_table) << "a disk that has no room for one";
    write({{"root", 64, 127}, {"root", 128, 129}});
    EXPECT_EQ(problem("root"), Problem::twice);
    write({{"root", 64, sectors}, {"other", 70, 69}});
    EXPECT_EQ(problem("root"), Problem::damaged) << "it ends behind the disk";
    EXPECT_EQ(problem("other"), Problem::damaged) << "it ends before it begins";
    struct Field {
        std::size_t at;
        std::uint32_t value;
    };
    for (const Field& field : {Field{12, 91}, {12, 513}, {24, 2}, {72, 5000}, {80, 1025}, {80, ~0u}, {84, 256}, {84, 0}}) {
        SCOPED_TRACE(field.at);
        write({{"root", 64, 127}});
        for (const std::uint64_t own : {std::uint64_t{1}, sectors - 1}) {
            disk.put<std::uint32_t>(own * 512 + field.at, field.value);
            sign(own);
        }
        EXPECT_EQ(problem("root"), Problem::damaged);
    }
    for (const Problem each : {Problem::unreadable, Problem::no_table, Problem::damaged, Problem::no_such, Problem::twice})
        EXPECT_NE(words_of(each), std::string{});
}

}  // namespace
}  // namespace partita::parent
