// Disks in memory beside an array of bytes: all of them, and images with copies of what was written, by programs that end at any store.
#include "memory_disk.hpp"

#include <gtest/gtest.h>

#include "random.hpp"

namespace partita::parent {
namespace {

constexpr std::uint32_t block = MemoryDisk::block_size;

using Bytes = std::vector<std::uint8_t>;

Bytes random_bytes(Random& random, std::size_t size) {
    Bytes out(size);
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random.below(256));
    return out;
}

// The memory of an image with room for changes, and what the disk must read as.
struct Layered {
    Layered(std::uint64_t blocks, std::uint64_t in_image, std::uint64_t changes, Random& random)
        : size(blocks * block),
          room(changes * block),
          image(random_bytes(random, in_image * block)),
          kept(MemoryDisk::kept_size(size, room)),
          expected(size) {
        std::ranges::copy(image, expected.begin());
    }
    void open(MemoryDisk& disk) { disk.open(image, kept, size, room); }
    [[nodiscard]] MemoryDisk opened() {
        MemoryDisk disk;
        open(disk);
        return disk;
    }
    std::uint64_t size, room;
    Bytes image, kept, expected;
};

Bytes contents(const MemoryDisk& disk) {
    Bytes out(disk.size());
    disk.read(0, out);
    return out;
}

TEST(MemoryDisk, IsAnArrayOfBytes) {
    Random random{7};
    Bytes memory(64 * block), expected(memory.size());
    MemoryDisk disk;
    disk.open(memory);
    EXPECT_FALSE(disk.copies());
    for (unsigned n = 0; n < 500; ++n) {
        const std::uint64_t at = random.below(static_cast<std::uint32_t>(disk.size())),
                            size = random.below(static_cast<std::uint32_t>(disk.size() - at));
        ASSERT_TRUE(disk.has_room(at, size));
        const Bytes data = random_bytes(random, size);
        if (random.below(4) == 0) {
            disk.zero(at, size);
            std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(at), size, std::uint8_t{0});
        } else {
            disk.write(at, data);
            std::ranges::copy(data, expected.begin() + static_cast<std::ptrdiff_t>(at));
        }
        ASSERT_EQ(contents(disk), expected);
    }
}

// Writes and zeroes that may have no room, discards, and lives of the program, at random.
class AnImageWithChanges : public testing::TestWithParam<std::uint32_t> {
protected:
    void write_or_zero(std::uint64_t at, std::uint64_t size) {
        std::set<std::uint64_t> needed;
        for (std::uint64_t n = at; n < at + size; ++n)
            if (!changed_.contains(n / block)) needed.insert(n / block);
        const bool fits = needed.size() + changed_.size() <= all_.room / block;
        ASSERT_EQ(disk_.has_room(at, size), fits);
        if (!fits) return;
        changed_.merge(needed);
        const Bytes data = random_bytes(random_, size);
        const bool zeroes = random_.below(3) == 0;
        if (zeroes)
            disk_.zero(at, size);
        else
            disk_.write(at, data);
        for (std::uint64_t n = 0; n < size; ++n) all_.expected[at + n] = zeroes ? 0 : data[n];
    }
    // Whole blocks go back to the image, where they came from; others stay.
    void discard(std::uint64_t at, std::uint64_t size) {
        disk_.discard(at, size);
        for (std::uint64_t n = (at + block - 1) / block; (n + 1) * block <= at + size; ++n) {
            changed_.erase(n);
            for (std::uint64_t byte = n * block; byte < (n + 1) * block; ++byte)
                all_.expected[byte] = byte < all_.image.size() ? all_.image[byte] : 0;
        }
    }
    Random random_{GetParam()};
    Layered all_{40, 30, 9, random_};
    MemoryDisk disk_ = all_.opened();
    std::set<std::uint64_t> changed_;
};

TEST_P(AnImageWithChanges, IsAnArrayOfBytesAsLongAsThereIsRoom) {
    const Bytes image = all_.image;
    for (unsigned n = 0; n < 600; ++n) {
        const std::uint64_t at = random_.below(40 * block - 1), most = std::min<std::uint64_t>(all_.size - at, 5 * block);
        const std::uint64_t begin = random_.below(2) == 0 ? at : at / block * block;
        const std::uint64_t size = random_.below(3) == 0 ? most / block * block : random_.below(static_cast<std::uint32_t>(most)) + 1;
        if (random_.below(3) == 0)
            discard(begin, size);
        else
            write_or_zero(begin, size);
        if (random_.below(5) == 0) all_.open(disk_ = {});
        ASSERT_EQ(disk_.room(), all_.room / block - changed_.size());
        ASSERT_EQ(contents(disk_), all_.expected);
    }
    EXPECT_EQ(all_.image, image);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnImageWithChanges, testing::Range(1u, 9u));

// Of a program that ended amid a write: copies are there that the table does not name, or it names some of them.
TEST(MemoryDisk, AnEndAmidAWriteLeavesEachBlockOldOrNew) {
    Random random{3};
    for (unsigned round = 0; round < 50; ++round) {
        Layered all{16, 12, 8, random};
        MemoryDisk disk = all.opened();
        disk.write(random.below(14) * block + 100, random_bytes(random, 2 * block - 200));
        const Bytes before = all.kept, old = contents(disk);
        const std::uint64_t at = random.below(12) * block + random.below(block), size = 3 * block;
        ASSERT_TRUE(disk.has_room(at, size));
        disk.write(at, random_bytes(random, size));
        const Bytes after = all.kept, fresh = contents(disk);
        const std::size_t table = 16 * 4;
        for (std::size_t done = 0; done <= table; done += 4) {
            // The first stores into the table, and all copies: those of blocks that it does not name do not count.
            std::ranges::copy(after, all.kept.begin());
            std::copy(before.begin() + static_cast<std::ptrdiff_t>(done), before.begin() + static_cast<std::ptrdiff_t>(table),
                      all.kept.begin() + static_cast<std::ptrdiff_t>(done));
            MemoryDisk next = all.opened();
            const Bytes seen = contents(next);
            for (std::uint64_t n = 0; n < 16; ++n) {
                const auto same = [&](const Bytes& other) {
                    return std::equal(&seen[n * block], &seen[n * block] + block, &other[n * block]);
                };
                ASSERT_TRUE(same(old) || same(fresh)) << "block " << n << " behind " << done / 4;
            }
            next.write(0, random_bytes(random, 2 * block));  // and what is free is no other block's
            const Bytes behind = contents(next);
            ASSERT_TRUE(std::equal(behind.begin() + 2 * block, behind.end(), seen.begin() + 2 * block));
        }
    }
}

}  // namespace
}  // namespace partita::parent
