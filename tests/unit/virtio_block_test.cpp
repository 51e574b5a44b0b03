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
    [[nodiscard]] Result begin(const Request& request) override {
        if (room == 0) return Result::full;
        if (!later) return carry_out(request);
        for (const Waiting& other : waiting) EXPECT_NE(other.request.tag, request.tag);
        waiting.push_back({request, {request.parts.begin(), request.parts.end()}});
        waiting.back().request.parts = {};
        --room;
        return Result::later;
    }
    // One that was to end later: its tag and how it went.
    std::pair<std::uint32_t, Result> end(std::size_t n) {
        Waiting one = waiting[n];
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(n));
        one.request.parts = one.parts;
        ++room;
        return {one.request.tag, carry_out(one.request)};
    }
    [[nodiscard]] Result carry_out(const Request& request) {
        inside(request.at, request.size);
        std::uint64_t total = 0;
        for (const Segment& part : request.parts) total += part.size;
        const bool moves = request.action == Action::read || request.action == Action::write;
        EXPECT_EQ(total, moves ? request.size : 0) << "its parts are all of it";
        if (fails(request.at, request.size) != Result::ok) return Result::failed;
        auto at = data.begin() + static_cast<std::ptrdiff_t>(request.at);
        switch (request.action) {
            case Action::read:
                for (const Segment& part : request.parts) std::copy_n(at, part.size, part.at), at += part.size;
                break;
            case Action::write:
                for (const Segment& part : request.parts) at = std::copy_n(part.at, part.size, at);
                break;
            case Action::flush: ++flushes; break;
            case Action::zero: std::fill_n(at, request.size, std::uint8_t{0}); break;
            case Action::discard: discards.emplace_back(request.at, request.size); break;
        }
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
    struct Waiting {
        Request request;
        std::vector<Segment> parts;
    };
    bool later = false;   // requests end when the test says so,
    unsigned room = ~0u;  // and so many can be under way
    std::vector<Waiting> waiting;
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
    EXPECT_EQ(ask(zeroes_type, 0, range(1, 2), 0).status, ok);
    EXPECT_EQ(ask(zeroes_type, 0, range(10, 1, 1), 0).status, ok);
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
                                        {Bytes(2 * 16), failed}})
        EXPECT_EQ(ask(zeroes_type, 0, bytes, 0).status, status);
    EXPECT_EQ(ask(discard_type, 0, range(0, 1, 1), 0).status, unsupported) << "unmap says nothing there";
    EXPECT_EQ(disk.data, before);
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

// What a disk cannot do is not offered, and refused if it is asked for nevertheless.
TEST_F(BlockTest, OffersWhatTheDiskCanDo) {
    shape.no_discards = shape.no_zeroes = true;
    begin();
    EXPECT_EQ(block->features() & (read_only | flush | discard | write_zeroes), flush);
    EXPECT_EQ(block->read(0x124, 4), 0u) << "max_discard_sectors";
    EXPECT_EQ(block->read(0x130, 4), 0u) << "max_write_zeroes_sectors";
    EXPECT_EQ(ask(discard_type, 0, range(0, 8), 0).status, unsupported);
    EXPECT_EQ(ask(zeroes_type, 0, range(0, 8), 0).status, unsupported);
}

// A disk that takes its time: requests end in any order, and the driver is told once of all that ended together.
class LateDisk : public BlockTest {
protected:
    void begin_late(unsigned room = ~0u) {
        disk.later = true;
        disk.room = room;
        begin();
    }
    struct Asked {
        std::uint16_t head;
        std::uint64_t answer;
    };
    Asked read_of(std::uint64_t sector) {
        const std::uint64_t head = driver.text(header(type_in, sector)), answer = driver.take(513);
        driver.put<std::uint8_t>(answer + 512, 0xee);
        return {driver.offer(ring(), {{head, 16, false}, {answer, 513, true}}), answer};
    }
    void end(std::size_t n) {
        const auto [tag, result] = disk.end(n);
        block->finished(tag, result);
    }
    [[nodiscard]] bool read_well(const Asked& asked, std::uint64_t sector) {
        return driver.get<std::uint8_t>(asked.answer + 512) == ok &&
               std::equal(driver.at(asked.answer), driver.at(asked.answer) + 512,
                          disk.data.begin() + static_cast<std::ptrdiff_t>(sector * sector_size));
    }
};

TEST_F(LateDisk, RequestsEndInAnyOrder) {
    begin_late();
    disk.data = pattern(disk.data.size(), 11);
    std::vector<Asked> asked;
    for (const std::uint64_t sector : {3u, 4u, 5u}) asked.push_back(read_of(sector));
    block->notified();
    EXPECT_EQ(block->under_way(), 3u);
    EXPECT_FALSE(driver.finished(ring()));
    EXPECT_TRUE(disk.interrupts.empty());
    end(2), end(0);
    block->conclude();
    EXPECT_EQ(disk.interrupts.size(), 1u) << "one for both";
    EXPECT_EQ(driver.finished(ring())->head, asked[2].head);
    EXPECT_EQ(driver.finished(ring())->head, asked[0].head);
    EXPECT_FALSE(driver.finished(ring()));
    EXPECT_TRUE(read_well(asked[2], 5) && read_well(asked[0], 3));
    EXPECT_EQ(driver.get<std::uint8_t>(asked[1].answer + 512), 0xee);
    disk.bad = 4 * sector_size;
    end(0);
    block->conclude();
    EXPECT_EQ(driver.finished(ring())->written, 1u);
    EXPECT_EQ(driver.get<std::uint8_t>(asked[1].answer + 512), failed);
    EXPECT_EQ(block->under_way(), 0u);
}

TEST_F(LateDisk, ADiskThatIsFullIsAskedAgain) {
    begin_late(2);
    std::vector<Asked> asked;
    for (std::uint64_t sector = 0; sector < 5; ++sector) asked.push_back(read_of(sector));
    block->notified();
    EXPECT_EQ(block->under_way(), 2u);
    EXPECT_TRUE(block->waits_for_room());
    EXPECT_FALSE(block->is_busy()) << "it is not worth a try before there is room";
    for (int n = 0; n < 5; ++n) {
        end(0);
        block->conclude();
        block->notified();
    }
    EXPECT_FALSE(block->waits_for_room());
    for (const Asked& one : asked) EXPECT_EQ(driver.finished(ring())->head, one.head);
}

// What a driver takes back, it has: while a request is under way the write that says so is not carried out.
TEST_F(LateDisk, WhatIsUnderWayIsNotTakenBack) {
    begin_late();
    (void)read_of(1);
    block->notified();
    EXPECT_TRUE(block->takes_back(0x070, 4, 0));
    EXPECT_TRUE(block->takes_back(0x044, 4, 0));
    EXPECT_FALSE(block->takes_back(0x070, 4, 15));
    EXPECT_FALSE(block->takes_back(0x040, 4, 0)) << "of version 1";
    EXPECT_FALSE(block->takes_back(0x070, 1, 0)) << "it does nothing";
    block->stop();
    (void)read_of(2);
    block->notified();
    EXPECT_EQ(disk.waiting.size(), 1u) << "nothing is begun any more";
    end(0);
    EXPECT_EQ(block->under_way(), 0u);
    block->write(0x070, 4, 0);
    begin_late();
    const Asked next = read_of(3);
    block->notified();
    end(0);
    block->conclude();
    EXPECT_EQ(driver.finished(ring())->head, next.head) << "a reset ends it";
}

TEST_F(LateDisk, AnotherServerBeginsThemAnew) {
    begin_late();
    disk.data = pattern(disk.data.size(), 12);
    std::vector<Asked> asked;
    for (const std::uint64_t sector : {3u, 4u, 5u}) asked.push_back(read_of(sector));
    block->notified();
    end(1);
    ASSERT_EQ(driver.finished(ring())->head, asked[1].head);
    disk.waiting.clear();  // the disk was reset with its server
    block.emplace(state, driver.client, 2, shape, disk);
    block->resume();
    ASSERT_EQ(disk.waiting.size(), 2u);
    end(1), end(0);
    block->conclude();
    EXPECT_EQ(driver.finished(ring())->head, asked[2].head);
    EXPECT_EQ(driver.finished(ring())->head, asked[0].head);
    EXPECT_TRUE(read_well(asked[0], 3) && read_well(asked[2], 5));
    EXPECT_FALSE(driver.finished(ring()));
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
