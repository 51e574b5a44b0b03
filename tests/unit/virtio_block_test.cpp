// The block device, as a driver sees it: beside a disk in memory.
#include "partita/guest/virtio/block.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "fake_driver.hpp"
#include "random.hpp"

namespace partita::virtio {
namespace {

constexpr std::uint64_t read_only = 1u << 5, flush = 1u << 9, discard = 1u << 13, write_zeroes = 1u << 14;
constexpr std::uint8_t ok = 0, failed = 1, unsupported = 2;
constexpr std::uint32_t type_in = 0, type_out = 1, flush_type = 4, get_id = 8, discard_type = 11, zeroes_type = 13;
constexpr std::uint64_t sectors = 64;
using Bytes = std::vector<std::uint8_t>;

class MemoryDisk final : public Disk {
public:
    [[nodiscard]] Result read(std::uint64_t at, std::span<std::uint8_t> to) override {
        inside(at, to.size());
        std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(at), to.size(), to.begin());
        return fails(at, to.size());
    }
    [[nodiscard]] Result write(std::uint64_t at, std::span<const std::uint8_t> from) override {
        inside(at, from.size());
        if (fails(at, from.size()) != Result::ok) return Result::failed;
        std::ranges::copy(from, data.begin() + static_cast<std::ptrdiff_t>(at));
        return Result::ok;
    }
    [[nodiscard]] Result flush() override {
        ++flushes;
        return Result::ok;
    }
    [[nodiscard]] Result zero(std::uint64_t at, std::uint64_t size) override {
        inside(at, size);
        std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(at), size, std::uint8_t{0});
        return Result::ok;
    }
    [[nodiscard]] Result discard(std::uint64_t at, std::uint64_t size) override {
        inside(at, size);
        discards.emplace_back(at, size);
        return Result::ok;
    }
    void interrupt(std::uint32_t bits) override { interrupts.push_back(bits); }
    void broken(std::uint32_t queue, Broken why) override { stopped.emplace_back(queue, why); }

    void inside(std::uint64_t at, std::uint64_t size) const {
        ASSERT_LE(size, data.size());
        ASSERT_LE(at, data.size() - size);
    }
    [[nodiscard]] Result fails(std::uint64_t at, std::uint64_t size) const {
        return bad < data.size() && at <= bad && bad < at + size ? Result::failed : Result::ok;
    }
    Bytes data = Bytes(sectors * sector_size);
    std::uint64_t bad = ~std::uint64_t{0};  // a byte that cannot be read or written
    unsigned flushes = 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> discards;
    std::vector<std::uint32_t> interrupts;
    std::vector<std::pair<std::uint32_t, Broken>> stopped;
};

class BlockTest : public testing::Test {
protected:
    void begin(bool only_read = false, std::uint64_t features = feature_version_1 | feature_event_index | feature_indirect) {
        shape.read_only = only_read;
        block.emplace(state, driver.client, 2, shape, disk);
        driver.begin(*block, features);
        driver.make_queue(*block, 0, 64);
        block->write(0x070, 4, 15);
    }
    FakeDriver::Ring& ring() { return driver.rings[0]; }
    static std::string header(std::uint32_t type, std::uint64_t sector) {
        std::string out(16, 0);
        std::memcpy(out.data(), &type, 4);
        std::memcpy(out.data() + 8, &sector, 8);
        return out;
    }
    // The same as one buffer, or in pieces.
    void add(std::vector<FakeDriver::Buffer>& to, std::uint64_t at, std::uint32_t size, bool writable, std::uint32_t piece) {
        for (std::uint32_t done = 0; done < size; done += piece) to.push_back({at + done, std::min(piece, size - done), writable});
    }
    struct Answer {
        std::uint8_t status;
        std::uint32_t written;
        Bytes data;
    };
    Answer ask(std::uint32_t type, std::uint64_t sector, const Bytes& given, std::uint32_t wanted, std::uint32_t piece = ~0u) {
        std::vector<FakeDriver::Buffer> buffers;
        const std::string head = header(type, sector);
        add(buffers, driver.text(head), 16, false, std::min(piece, 16u));
        if (!given.empty()) {
            const std::uint64_t at = driver.text({given.begin(), given.end()});
            add(buffers, at, static_cast<std::uint32_t>(given.size()), false, piece);
        }
        const std::uint64_t answer = driver.take(wanted + 1);
        driver.put<std::uint8_t>(answer + wanted, 0xee);
        add(buffers, answer, wanted + 1, true, piece);
        const std::uint16_t first = driver.offer(ring(), buffers);
        block->notified();
        const auto done = driver.finished(ring());
        EXPECT_TRUE(done && done->head == first);
        if (!done) return {};
        return {driver.get<std::uint8_t>(answer + wanted), done->written, {driver.at(answer), driver.at(answer) + wanted}};
    }
    static Bytes pattern(std::size_t size, std::uint32_t seed) {
        Random random{seed};
        Bytes out(size);
        for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random());
        return out;
    }
    static Bytes range(std::uint64_t sector, std::uint32_t count, std::uint32_t flags = 0) {
        Bytes bytes(16);
        std::memcpy(bytes.data(), &sector, 8);
        std::memcpy(bytes.data() + 8, &count, 4);
        std::memcpy(bytes.data() + 12, &flags, 4);
        return bytes;
    }

    FakeDriver driver;
    MemoryDisk disk;
    DiskShape shape{.sectors = sectors, .block_size = 4096, .serial = "partita-disk-0"};
    BlockState state{};
    std::optional<Block> block;
};

TEST_F(BlockTest, SaysWhatItIs) {
    begin();
    EXPECT_EQ(block->read(0x008, 4), 2u);
    EXPECT_EQ(block->read(0x100, 4), sectors);
    EXPECT_EQ(block->read(0x104, 4), 0u);
    EXPECT_EQ(block->read(0x10c, 4), 126u) << "seg_max";
    EXPECT_EQ(block->read(0x114, 4), 4096u) << "blk_size";
    EXPECT_EQ(block->read(0x12c, 4), 8u) << "discard_sector_alignment";
    EXPECT_NE(block->features() & flush, 0u);
    EXPECT_NE(block->features() & discard, 0u);
    EXPECT_NE(block->features() & write_zeroes, 0u);
    EXPECT_EQ(block->features() & read_only, 0u);
    begin(true);
    EXPECT_EQ(block->features() & (read_only | flush | discard | write_zeroes), read_only);
    EXPECT_EQ(block->read(0x124, 4), 0u) << "max_discard_sectors";
}

TEST_F(BlockTest, WhatIsWrittenIsRead) {
    begin();
    const Bytes first = pattern(4096, 1), second = pattern(512, 2);
    EXPECT_EQ(ask(type_out, 8, first, 0).status, ok);
    EXPECT_EQ(ask(type_out, 63, second, 0).status, ok);
    const Answer answer = ask(type_in, 8, {}, 4096);
    EXPECT_EQ(answer.status, ok);
    EXPECT_EQ(answer.written, 4097u);
    EXPECT_EQ(answer.data, first);
    EXPECT_EQ(ask(type_in, 63, {}, 512).data, second);
    EXPECT_EQ(ask(type_in, 16, {}, 512).data, Bytes(512));
    EXPECT_EQ(ask(flush_type, 0, {}, 0).status, ok);
    EXPECT_EQ(disk.flushes, 1u);
    EXPECT_FALSE(disk.interrupts.empty());
    EXPECT_TRUE(disk.stopped.empty());
}

// §2.7.4: how a request is cut into buffers says nothing.
TEST_F(BlockTest, BuffersMayBeCutAnywhere) {
    begin();
    for (const std::uint32_t piece : {7u, 16u, 100u, 512u}) {
        const Bytes data = pattern(512, piece);
        EXPECT_EQ(ask(type_out, piece % 60, data, 0, std::max(piece, 20u)).status, ok);
        EXPECT_EQ(ask(type_in, piece % 60, {}, 512, std::max(piece, 20u)).data, data) << piece;
    }
}

TEST_F(BlockTest, WhatIsOutsideFails) {
    begin();
    const Bytes before = disk.data;
    EXPECT_EQ(ask(type_in, sectors, {}, 512).status, failed);
    EXPECT_EQ(ask(type_in, sectors - 1, {}, 1024).status, failed);
    EXPECT_EQ(ask(type_in, ~std::uint64_t{0}, {}, 512).status, failed);
    EXPECT_EQ(ask(type_in, 0x0080'0000'0000'0000, {}, 512).status, failed) << "a byte's place that does not fit into 64 bits";
    EXPECT_EQ(ask(type_in, 0, {}, 100).status, failed) << "no whole sectors";
    EXPECT_EQ(ask(type_out, sectors, pattern(512, 3), 0).status, failed);
    EXPECT_EQ(ask(type_out, 0, pattern(100, 3), 0).status, failed);
    EXPECT_EQ(ask(99, 0, {}, 0).status, unsupported);
    EXPECT_EQ(disk.data, before);
    disk.bad = 1000;
    EXPECT_EQ(ask(type_in, 0, {}, 1024).status, failed) << "the disk says so";
    EXPECT_EQ(ask(type_out, 1, pattern(512, 3), 0).status, failed);
    EXPECT_EQ(ask(type_in, 2, {}, 512).status, ok);
}

TEST_F(BlockTest, AReadOnlyDiskStaysAsItIs) {
    begin(true);
    disk.data = pattern(disk.data.size(), 9);
    const Bytes before = disk.data;
    EXPECT_EQ(ask(type_out, 0, pattern(512, 3), 0).status, failed);
    EXPECT_EQ(ask(discard_type, 0, range(0, 8), 0).status, failed);
    EXPECT_EQ(ask(zeroes_type, 0, range(0, 8), 0).status, failed);
    EXPECT_EQ(ask(flush_type, 0, {}, 0).status, unsupported);
    EXPECT_EQ(ask(type_in, 1, {}, 512).data, Bytes(before.begin() + 512, before.begin() + 1024));
    EXPECT_EQ(disk.data, before);
}

TEST_F(BlockTest, TellsItsSerial) {
    begin();
    const Answer answer = ask(get_id, 0, {}, 20);
    EXPECT_EQ(answer.status, ok);
    EXPECT_EQ(std::string(answer.data.begin(), answer.data.end()).c_str(), std::string{"partita-disk-0"});
    EXPECT_EQ(ask(get_id, 0, {}, 10).status, failed);
}

TEST_F(BlockTest, ZeroesAndDiscards) {
    begin();
    disk.data = pattern(disk.data.size(), 4);
    Bytes two = range(1, 2), second = range(10, 1, 1);
    two.insert(two.end(), second.begin(), second.end());
    EXPECT_EQ(ask(zeroes_type, 0, two, 0).status, ok);
    EXPECT_EQ(ask(type_in, 1, {}, 1024).data, Bytes(1024));
    EXPECT_EQ(ask(type_in, 10, {}, 512).data, Bytes(512));
    EXPECT_NE(ask(type_in, 3, {}, 512).data, Bytes(512));
    EXPECT_EQ(ask(discard_type, 0, range(8, 8), 0).status, ok);
    ASSERT_EQ(disk.discards.size(), 1u);
    EXPECT_EQ(disk.discards[0], (std::pair<std::uint64_t, std::uint64_t>{4096, 4096}));
    const Bytes before = disk.data;
    for (const auto& [bytes, status] : {std::pair{range(63, 2), failed},
                                        {range(~std::uint64_t{0}, 1), failed},
                                        {range(0, ~0u), failed},
                                        {range(0, 1, 2), unsupported},
                                        {Bytes(15), failed},
                                        {Bytes{}, failed},
                                        {Bytes(17 * 16), failed}})
        EXPECT_EQ(ask(zeroes_type, 0, bytes, 0).status, status);
    EXPECT_EQ(ask(discard_type, 0, range(0, 1, 1), 0).status, unsupported) << "unmap says nothing there";
    Bytes one_is_bad = range(0, 1), bad = range(64, 1);
    one_is_bad.insert(one_is_bad.end(), bad.begin(), bad.end());
    EXPECT_EQ(ask(zeroes_type, 0, one_is_bad, 0).status, failed);
    EXPECT_EQ(disk.data, before) << "all or none is begun";
}

TEST_F(BlockTest, WhatIsNoRequestBreaksTheQueue) {
    for (const bool has_status : {false, true}) {
        state = {};
        begin();
        disk.stopped.clear();
        const std::uint64_t at = driver.take(32);
        driver.offer(ring(), has_status ? std::vector<FakeDriver::Buffer>{{at, 15, false}, {at + 16, 1, true}}
                                        : std::vector<FakeDriver::Buffer>{{at, 16, false}});
        block->notified();
        ASSERT_EQ(disk.stopped.size(), 1u);
        EXPECT_EQ(disk.stopped[0].second, Broken::too_small);
        EXPECT_EQ(disk.interrupts.back(), 2u) << "the configuration changed";
        EXPECT_EQ(block->read(0x070, 4) & 64u, 64u) << "it needs a reset";
    }
}

// A driver that never stops takes no other's turn; nothing is forgotten.
TEST_F(BlockTest, OthersHaveTheirTurn) {
    begin();
    const std::uint64_t head = driver.text(header(flush_type, 0)), status = driver.take(64);
    for (std::uint32_t n = 0; n < 32; ++n) driver.offer(ring(), {{head, 16, false}, {status + n, 1, true}});
    block->notified();
    EXPECT_TRUE(block->is_busy());
    block->notified();
    EXPECT_FALSE(block->is_busy());
    EXPECT_EQ(disk.flushes, 32u);
}

// Another server goes on with what the last one had not finished.
TEST_F(BlockTest, AnotherServerGoesOn) {
    begin();
    const Bytes data = pattern(512, 5);
    EXPECT_EQ(ask(type_out, 5, data, 0).status, ok);
    const std::uint64_t head = driver.text(header(type_in, 5)), answer = driver.take(513);
    driver.offer(ring(), {{head, 16, false}, {answer, 513, true}});
    block.emplace(state, driver.client, 2, shape, disk);
    block->resume();
    ASSERT_TRUE(driver.finished(ring()));
    EXPECT_EQ(Bytes(driver.at(answer), driver.at(answer) + 512), data);
    EXPECT_EQ(driver.get<std::uint8_t>(answer + 512), ok);
}

TEST_F(BlockTest, TheOlderInterfaceHasItToo) {
    block.emplace(state, driver.client, 1, shape, disk);
    block->write(0x028, 4, 4096);
    block->write(0x070, 4, 3);
    block->write(0x030, 4, 0);
    const std::uint64_t at = driver.take(8192, 4096);
    block->write(0x038, 4, 16);
    block->write(0x03c, 4, 4096);
    block->write(0x040, 4, static_cast<std::uint32_t>(at / 4096));
    block->write(0x070, 4, 7);
    ring() = {.entries = 16, .descriptors = at, .available = at + 256, .used = at + 4096};
    disk.data = pattern(disk.data.size(), 6);
    EXPECT_EQ(ask(type_in, 2, {}, 512).data, Bytes(disk.data.begin() + 1024, disk.data.begin() + 1536));
}

}  // namespace
}  // namespace partita::virtio
