#include "arch/stage2.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include "random.hpp"

namespace partita {
namespace {

// Tables in host memory, at made-up physical addresses.
class TestPool {
public:
    explicit TestPool(std::size_t most) : most_(most) {}
    Descriptor* take() {
        if (tables_.size() == most_) return nullptr;
        tables_.push_back(std::make_unique<std::array<Descriptor, 512>>());
        return tables_.back()->data();
    }
    [[nodiscard]] PhysAddr physical(const Descriptor* table) const {
        for (std::size_t n = 0; n < tables_.size(); ++n)
            if (tables_[n]->data() == table) return PhysAddr{0x8000'0000 + n * kPageSize};
        return PhysAddr{0};
    }
    [[nodiscard]] Descriptor* table(PhysAddr address) const { return tables_[(address.value - 0x8000'0000) / kPageSize]->data(); }
    void publish(const Descriptor*) { ++published; }
    [[nodiscard]] std::size_t used() const { return tables_.size(); }
    unsigned published = 0;

private:
    std::size_t most_;
    std::deque<std::unique_ptr<std::array<Descriptor, 512>>> tables_;
};

struct Space {
    explicit Space(std::size_t tables = 4096)
        : pool(tables), root(stage2::root_entries), stage2(std::span<Descriptor, stage2::root_entries>{root}, pool) {}
    TestPool pool;
    std::vector<Descriptor> root;
    Stage2<TestPool> stage2;
};

constexpr Rights all{.write = true, .execute = true};

TEST(Stage2, UsesBlocksWhereItCan) {
    Space space;
    ASSERT_EQ(space.stage2.map(Ipa{0x4000'0000}, PhysAddr{0x5000'0000}, 256u << 20, all), MapError::none);
    EXPECT_EQ(space.pool.used(), 0u);
    EXPECT_EQ(space.stage2.physical(Ipa{0x4012'3456}).value, 0x5012'3456u);
}

TEST(Stage2, DescriptorIsTheArchitectures) {
    Space space;
    ASSERT_EQ(space.stage2.map(Ipa{0x4000'0000}, PhysAddr{0x5000'0000}, kBlockSize, all), MapError::none);
    ASSERT_EQ(space.stage2.map(Ipa{0x0801'0000}, PhysAddr{0x0804'0000}, kPageSize, {.write = true, .device = true}), MapError::none);
    ASSERT_EQ(space.stage2.map(Ipa{0x1000}, PhysAddr{0x6000'0000}, kPageSize, {}), MapError::none);
    EXPECT_EQ(space.stage2.translate(Ipa{0x4000'0000}), 0x5000'07fdu);            // block, S2AP=3, SH=3, AF, normal write-back
    EXPECT_EQ(space.stage2.translate(Ipa{0x0801'0000}), 0x0040'0000'0804'04c7u);  // page, XN, device
    EXPECT_EQ(space.stage2.translate(Ipa{0x1000}), 0x0040'0000'6000'077fu);       // page, read-only, XN
}

TEST(Stage2, RefusesWhatItCannotMap) {
    Space space{1};
    EXPECT_EQ(space.stage2.map(Ipa{0x100}, PhysAddr{0}, kPageSize, all), MapError::misaligned);
    EXPECT_EQ(space.stage2.map(Ipa{0}, PhysAddr{0}, 100, all), MapError::misaligned);
    EXPECT_EQ(space.stage2.map(Ipa{0xffff'f000}, PhysAddr{0}, 2 * kPageSize, all), MapError::out_of_range);
    EXPECT_EQ(space.stage2.map(Ipa{0}, PhysAddr{0xff'ffff'f000}, 2 * kPageSize, all), MapError::out_of_range);
    EXPECT_EQ(space.stage2.map(Ipa{0}, PhysAddr{0}, kPageSize, all), MapError::none);
    EXPECT_EQ(space.stage2.map(Ipa{0}, PhysAddr{0x1000'0000}, kBlockSize, all), MapError::occupied);
    EXPECT_EQ(space.stage2.map(Ipa{0x4000'0000}, PhysAddr{0x1000}, kPageSize, all), MapError::no_tables);
}

TEST(Stage2, MapsTheLastPageOfTheAddressSpace) {
    Space space;
    ASSERT_EQ(space.stage2.map(Ipa{0xffff'f000}, PhysAddr{0x7000'0000}, kPageSize, all), MapError::none);
    EXPECT_EQ(space.stage2.physical(Ipa{0xffff'ffff}).value, 0x7000'0fffu);
    EXPECT_EQ(space.stage2.translate(Ipa{0x1'0000'0000}), 0u);
}

TEST(Stage2, DoesNotCutABlock) {
    Space space;
    ASSERT_EQ(space.stage2.map(Ipa{0}, PhysAddr{0}, kBlockSize, all), MapError::none);
    EXPECT_EQ(space.stage2.unmap(Ipa{0x1000}, kPageSize), MapError::misaligned);
    EXPECT_NE(space.stage2.translate(Ipa{0x1000}), 0u);
}

// After any sequence of maps and unmaps, exactly the pages of a reference map translate, and to what it says.
TEST(Stage2, AgreesWithAReference) {
    Random random{1};
    for (int round = 0; round < 60; ++round) {
        Space space;
        std::map<std::uint64_t, std::uint64_t> reference;  // page to page
        std::uint64_t tables_promised = 0;
        for (int step = 0; step < 60; ++step) {
            const bool blocks = random() % 2 == 0;
            const std::uint64_t unit = blocks ? kBlockSize : kPageSize;
            const std::uint64_t ipa = (blocks ? random() % 64 : random() % 4096) * unit, size = (1 + random() % (blocks ? 4 : 700)) * unit;
            const std::uint64_t pa = 0x1000'0000 + random() % 1024 * unit;
            if (random() % 3 != 0) {
                bool free = true;
                for (std::uint64_t page = ipa; page < ipa + size; page += kPageSize) free = free && !reference.contains(page);
                tables_promised += Stage2<TestPool>::tables_needed(Ipa{ipa}, PhysAddr{pa}, size);
                const MapError result = space.stage2.map(Ipa{ipa}, PhysAddr{pa}, size, all);
                ASSERT_EQ(result, free ? MapError::none : MapError::occupied);
                for (std::uint64_t done = 0; free && done < size; done += kPageSize) reference[ipa + done] = pa + done;
            } else if (blocks && space.stage2.unmap(Ipa{ipa}, size) == MapError::none) {
                for (std::uint64_t page = ipa; page < ipa + size; page += kPageSize) reference.erase(page);
            }
        }
        EXPECT_LE(space.pool.used(), tables_promised);
        for (std::uint64_t page = 0; page < 0x1000'0000; page += kPageSize) {
            const bool mapped = space.stage2.translate(Ipa{page + 0x123}) != 0;
            ASSERT_EQ(mapped, reference.contains(page)) << std::hex << page;
            if (mapped) ASSERT_EQ(space.stage2.physical(Ipa{page + 0x123}).value, reference[page] + 0x123);
        }
    }
}

}  // namespace
}  // namespace partita
