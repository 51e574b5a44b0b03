// The parent partition's store of images that arrive at run time.
#include "store.hpp"

#include <gtest/gtest.h>

#include "fake_parent.hpp"
#include "partita/guest/guest.h"
#include "partita/hypercall.h"
#include <array>
#include <map>
#include <vector>

#include "random.hpp"

namespace partita {
namespace {

using parent::page_size;
using std::uint32_t;

class StoreTest : public testing::Test {
protected:
    static constexpr uint32_t ipa = 0x4020'0000, pages = 16;
    StoreTest() {
        fake_parent = &fake;
        fake.answer = [this](uint32_t function, uint32_t, uint32_t, uint32_t) {
            EXPECT_EQ(function, PARTITA_HYPERCALL_LOAD);
            return hypercall_result{static_cast<uint32_t>(says), 0, 0, 0};
        };
        store.open(memory, ipa);
    }
    ~StoreTest() override { fake_parent = nullptr; }
    // One that has arrived whole and is used. Where it is.
    uint32_t give(uint32_t partition, uint32_t size) {
        const uint32_t at = store.reserve(partition, size);
        if (at != 0) EXPECT_EQ(store.give(partition, at).r0, 0u);
        return at;
    }

    std::int32_t says = PSCI_SUCCESS;
    FakeParent fake;
    alignas(page_size) std::array<std::uint8_t, pages * page_size> memory{};
    parent::Store store;
};

TEST_F(StoreTest, WhatArrivesIsGivenByItsAddress) {
    const uint32_t at = store.reserve(3, 6000);
    ASSERT_NE(at, 0u);
    EXPECT_EQ(at % page_size, 0u);
    const std::vector<std::uint8_t> bytes(6000, 0x5a);
    EXPECT_TRUE(store.put(at, std::span{bytes}.first(1024)));
    EXPECT_TRUE(store.put(at + 1024, std::span{bytes}.subspan(1024)));
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), memory.begin() + at));
    EXPECT_FALSE(store.put(at + 5999, std::span{bytes}.first(2))) << "behind its end";
    EXPECT_FALSE(store.put(at - 1, std::span{bytes}.first(2)));
    EXPECT_FALSE(store.put(0, std::span{bytes}.first(1))) << "the directory";
    EXPECT_EQ(store.give(2, at).r0, static_cast<uint32_t>(PSCI_INVALID_ADDRESS)) << "another's";
    EXPECT_EQ(store.give(3, at).r0, 0u);
    ASSERT_EQ(fake.calls.size(), 1u);
    EXPECT_EQ(fake.calls[0], (std::array<uint32_t, 4>{PARTITA_HYPERCALL_LOAD, 3, ipa + at, 6000}));
    EXPECT_FALSE(store.put(at, std::span{bytes}.first(1))) << "it is used now";
    EXPECT_EQ(store.give(3, at).r0, static_cast<uint32_t>(PSCI_INVALID_ADDRESS));
}

TEST_F(StoreTest, TheOldIsKeptUntilTheNewIsTaken) {
    const uint32_t first = give(1, page_size);
    const uint32_t second = store.reserve(1, page_size);
    EXPECT_NE(first, second);
    says = PSCI_INVALID_PARAMETERS;
    EXPECT_EQ(store.give(1, second).r0, static_cast<uint32_t>(PSCI_INVALID_PARAMETERS));
    EXPECT_NE(store.reserve(2, page_size), first) << "the partition still runs it";
    says = PSCI_SUCCESS;
    const uint32_t third = give(1, page_size);
    EXPECT_NE(third, first);
    EXPECT_EQ(give(3, page_size), first) << "nobody runs it any more";
}

TEST_F(StoreTest, AnotherLifeOfTheParentKnowsWhatIsUsed) {
    const uint32_t used = give(1, 3 * page_size);
    const uint32_t arriving = store.reserve(2, page_size);
    parent::Store next;
    next.open(memory, ipa);
    EXPECT_FALSE(next.is_damaged());
    EXPECT_FALSE(next.put(arriving, std::array<std::uint8_t, 1>{})) << "it would never be whole";
    EXPECT_EQ(next.room(), (pages - 1 - 3) * page_size);
    EXPECT_EQ(next.take(1), 0u);
    EXPECT_EQ(next.reserve(1, page_size), used);
}

TEST_F(StoreTest, WithoutItsDirectoryNothingIsPutAnywhere) {
    (void)give(1, page_size);
    memory[0] ^= 1;
    parent::Store next;
    next.open(memory, ipa);
    EXPECT_TRUE(next.is_damaged());
    EXPECT_EQ(next.reserve(1, 1), 0u);
    EXPECT_EQ(next.room(), 0u);
    memory[0] ^= 1;
    memory[12] = 0xff;  // the first blob's offset
    memory[15] = 0xff;
    next.open(memory, ipa);
    EXPECT_TRUE(next.is_damaged());
}

TEST_F(StoreTest, WithoutMemoryThereIsNoRoom) {
    parent::Store none;
    EXPECT_EQ(none.room(), 0u);
    EXPECT_EQ(none.reserve(1, 1), 0u);
    EXPECT_FALSE(none.put(page_size, std::array<std::uint8_t, 1>{}));
    EXPECT_EQ(none.give(1, page_size).r0, static_cast<uint32_t>(PSCI_INVALID_ADDRESS));
}

// Whatever comes and goes, no two overlap, none lies over the directory, and what is there is as long as it was asked for.
TEST_F(StoreTest, NoTwoOverlap) {
    Random random{7};
    std::map<uint32_t, std::pair<uint32_t, uint32_t>> used;  // partition: begin, end
    for (int step = 0; step < 20'000; ++step) {
        const auto partition = static_cast<uint32_t>(random.below(8)), size = static_cast<uint32_t>(1 + random.below(6 * page_size));
        if (random.below(4) == 0) {
            EXPECT_EQ(store.take(partition), 0u);
            used.erase(partition);
            continue;
        }
        says = random.below(5) == 0 ? PARTITA_WRONG_STATE : PSCI_SUCCESS;
        const uint32_t room = store.room(), at = store.reserve(partition, size);
        if (at == 0) {
            ASSERT_LT(room, size);
            says = PSCI_SUCCESS;
            continue;
        }
        ASSERT_GE(at, page_size);
        ASSERT_LE(at + size, memory.size());
        for (const auto& [other, range] : used) ASSERT_TRUE(at + size <= range.first || range.second <= at) << step;
        if (store.give(partition, at).r0 == 0) used[partition] = {at, at + size};
        says = PSCI_SUCCESS;
        if (random.below(50) == 0) store.open(memory, ipa);
    }
}

}  // namespace
}  // namespace partita
