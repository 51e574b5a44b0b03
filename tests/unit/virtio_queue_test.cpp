// Virtqueues and the transport's registers, against a driver by the standard, and against drivers that mean ill.
#include <gtest/gtest.h>

#include "fake_driver.hpp"

namespace partita::virtio {
namespace {

using Buffer = FakeDriver::Buffer;

// A device of two queues that does nothing by itself.
class Plain final : public Device {
public:
    [[nodiscard]] std::uint32_t id() const override { return 42; }
    [[nodiscard]] std::uint64_t features() const override { return 1u << 5; }
    [[nodiscard]] std::uint32_t entries(std::uint32_t queue) const override { return queue < 2 ? 16 : 0; }
    [[nodiscard]] std::uint8_t configuration(std::uint32_t offset) const override { return static_cast<std::uint8_t>(offset + 1); }
    void reset() override { ++resets; }
    int resets = 0;
};

class Virtqueue : public testing::Test {
protected:
    static constexpr std::uint64_t all = feature_version_1 | feature_indirect | feature_event_index;
    FakeDriver::Ring& begin(std::uint64_t features = all) {
        driver.begin(transport, features);
        FakeDriver::Ring& ring = driver.make_queue(transport, 0);
        transport.write(0x070, 4, 15);
        return ring;
    }
    std::string read(std::uint16_t head) {
        std::string out;
        Queue queue = transport.queue(0);
        if (!queue.walk(head, [&](const Segment& part) {
                out.append(reinterpret_cast<const char*>(part.at), part.size);
                out += part.writable ? '>' : '<';
                return true;
            }))
            return "bad";
        return out;
    }
    static void finish_next(Queue& queue) {
        const auto head = queue.next();
        ASSERT_TRUE(head);
        queue.take(*head);
        queue.finish(*head, 0);
    }
    [[nodiscard]] Broken why() const { return static_cast<Broken>(state.queues[0].broken); }

    FakeDriver driver;
    Plain device;
    TransportState state{};
    Transport transport{device, state, driver.client, 2};
};

TEST_F(Virtqueue, ChainsAreReadInOrderAndGivenBack) {
    auto& ring = begin();
    const auto first = driver.offer(ring, {{driver.text("one"), 3, false}, {driver.text("two"), 3, false}, {driver.take(8), 8, true}});
    const auto second = driver.offer(ring, {{driver.text("x"), 1, false}});
    Queue queue = transport.queue(0);
    ASSERT_EQ(queue.next(), first);
    EXPECT_EQ(queue.next(), first) << "until it is taken";
    EXPECT_EQ(read(first).substr(0, 8), "one<two<");
    queue.take(first);
    queue.finish(first, 5);
    ASSERT_EQ(queue.next(), second);
    queue.take(second);
    queue.finish(second, 0);
    EXPECT_FALSE(queue.next());
    const auto done = driver.finished(ring);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->head, first);
    EXPECT_EQ(done->written, 5u);
    EXPECT_EQ(driver.finished(ring)->head, second);
    EXPECT_FALSE(driver.finished(ring));
}

TEST_F(Virtqueue, GoesRoundForEver) {
    auto& ring = begin();
    const std::uint64_t text = driver.text("abc");
    for (int n = 0; n < 70'000; ++n) {
        driver.offer(ring, {{text, 3, false}});
        Queue queue = transport.queue(0);
        const auto head = queue.next();
        ASSERT_TRUE(head) << n;
        ASSERT_EQ(read(*head), "abc<");
        queue.take(*head);
        queue.finish(*head, 0);
        ASSERT_TRUE(driver.finished(ring));
    }
}

TEST_F(Virtqueue, IndirectTablesAreFollowed) {
    auto& ring = begin();
    const std::uint64_t table = driver.take(32);
    driver.describe(table, 0, driver.text("far"), 3, FakeDriver::next, 1);
    driver.describe(table, 1, driver.text("away"), 4, 0, 0);
    driver.describe(ring.descriptors, 0, table, 32, FakeDriver::indirect, 0);
    EXPECT_EQ(read(0), "far<away<");
    driver.describe(ring.descriptors, 1, driver.text("near"), 4, FakeDriver::next, 0);
    EXPECT_EQ(read(1), "near<far<away<");
}

TEST_F(Virtqueue, AnIndirectTableMayBeAsLongAsTheQueue) {
    auto& ring = begin();
    const std::uint64_t table = driver.take(16 * 16), text = driver.text("abcdefghijklmnop");
    for (std::uint32_t n = 0; n < 16; ++n)
        driver.describe(table, n, text + n, 1, n < 15 ? FakeDriver::next : std::uint16_t{0}, static_cast<std::uint16_t>(n + 1));
    driver.describe(ring.descriptors, 0, table, 256, FakeDriver::indirect, 0);
    EXPECT_EQ(read(0), "a<b<c<d<e<f<g<h<i<j<k<l<m<n<o<p<");
    driver.describe(table, 15, text, 1, FakeDriver::next, 0);
    EXPECT_EQ(read(0), "bad") << "but no longer";
    EXPECT_EQ(why(), Broken::loops);
}

TEST_F(Virtqueue, WhatADriverMayNotBreaksTheQueue) {
    struct Case {
        const char* what;
        Broken why;
        std::function<void(FakeDriver&, FakeDriver::Ring&)> does;
    };
    const std::uint64_t beyond = FakeDriver::base + FakeDriver::size;
    const Case cases[] = {
        {"a buffer below its memory", Broken::outside, [](auto& d, auto& r) { d.offer(r, {{FakeDriver::base - 4, 8, false}}); }},
        {"a buffer behind it", Broken::outside, [&](auto& d, auto& r) { d.offer(r, {{beyond - 4, 8, false}}); }},
        {"one that wraps around", Broken::outside, [&](auto& d, auto& r) { d.offer(r, {{FakeDriver::base, ~0u, false}}); }},
        {"one above 4 GiB", Broken::outside, [](auto& d, auto& r) { d.offer(r, {{0x1'4000'0000, 8, false}}); }},
        {"one at the end of all", Broken::outside, [](auto& d, auto& r) { d.offer(r, {{~0ull - 3, 8, false}}); }},
        {"an index that jumps", Broken::jumped, [](auto& d, auto& r) { d.template put<std::uint16_t>(r.available + 2, 17); }},
        {"an index that goes back", Broken::jumped, [](auto& d, auto& r) { d.template put<std::uint16_t>(r.available + 2, 0xffff); }},
        {"a first descriptor behind the last", Broken::bad_head, [](auto& d, auto& r) { d.publish(r, 16); }},
        {"a next one behind the last", Broken::bad_next,
         [](auto& d, auto& r) {
             d.describe(r.descriptors, 0, FakeDriver::base, 1, FakeDriver::next, 16);
             d.publish(r, 0);
         }},
        {"a chain that is its own next", Broken::loops,
         [](auto& d, auto& r) {
             d.describe(r.descriptors, 0, FakeDriver::base, 1, FakeDriver::next, 0);
             d.publish(r, 0);
         }},
        {"a circle", Broken::loops,
         [](auto& d, auto& r) {
             d.describe(r.descriptors, 0, FakeDriver::base, 1, FakeDriver::next, 1);
             d.describe(r.descriptors, 1, FakeDriver::base, 1, FakeDriver::next, 0);
             d.publish(r, 0);
         }},
        {"to be read behind to be written", Broken::bad_order,
         [](auto& d, auto& r) { d.offer(r, {{FakeDriver::base, 1, true}, {FakeDriver::base, 1, false}}); }},
        {"a table of no whole descriptors", Broken::bad_table,
         [](auto& d, auto& r) {
             d.describe(r.descriptors, 0, FakeDriver::base, 24, FakeDriver::indirect, 0);
             d.publish(r, 0);
         }},
        {"an empty table", Broken::bad_table,
         [](auto& d, auto& r) {
             d.describe(r.descriptors, 0, FakeDriver::base, 0, FakeDriver::indirect, 0);
             d.publish(r, 0);
         }},
        {"a table longer than the queue", Broken::bad_table,
         [](auto& d, auto& r) {
             d.describe(r.descriptors, 0, FakeDriver::base, 17 * 16, FakeDriver::indirect, 0);
             d.publish(r, 0);
         }},
        {"a table in the middle of a chain", Broken::bad_table,
         [](auto& d, auto& r) {
             d.describe(r.descriptors, 0, FakeDriver::base, 16, FakeDriver::indirect | FakeDriver::next, 1);
             d.publish(r, 0);
         }},
        {"a table in a table", Broken::bad_table,
         [](auto& d, auto& r) {
             const std::uint64_t table = d.take(16);
             d.describe(table, 0, table, 16, FakeDriver::indirect, 0);
             d.describe(r.descriptors, 0, table, 16, FakeDriver::indirect, 0);
             d.publish(r, 0);
         }},
        {"a table outside", Broken::outside,
         [&](auto& d, auto& r) {
             d.describe(r.descriptors, 0, beyond, 16, FakeDriver::indirect, 0);
             d.publish(r, 0);
         }},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.what);
        auto& ring = begin();
        one.does(driver, ring);
        Queue queue = transport.queue(0);
        if (const auto head = queue.next()) {
            EXPECT_EQ(read(*head), "bad");
        }
        EXPECT_EQ(why(), one.why);
        EXPECT_FALSE(transport.queue(0).next()) << "it stays broken";
        EXPECT_NE(words_of(why()), std::string{});
        std::uint32_t number = 9;
        EXPECT_EQ(transport.find_broken(number), one.why);
        EXPECT_EQ(number, 0u);
        EXPECT_FALSE(transport.runs());
        EXPECT_EQ(transport.read(0x070, 4) & status_needs_reset, status_needs_reset);
    }
    begin();
    EXPECT_TRUE(transport.runs()) << "a reset mends it";
}

TEST_F(Virtqueue, RingsOutsideOfItsMemoryAreFound) {
    for (const std::uint32_t offset : {0x080u, 0x090u, 0x0a0u}) {
        SCOPED_TRACE(offset);
        driver.begin(transport, all);
        auto& ring = driver.make_queue(transport, 0);
        transport.write(0x044, 4, 0);
        transport.write(0x038, 4, 16);
        std::uint32_t at = 0x080;
        for (const std::uint64_t part : {ring.descriptors, ring.available, ring.used}) {
            transport.write(at, 4, at == offset ? FakeDriver::base + FakeDriver::size - 8 : static_cast<std::uint32_t>(part));
            at += 0x10;
        }
        transport.write(0x044, 4, 1);
        transport.write(0x070, 4, 15);
        driver.offer(ring, {{driver.text("a"), 1, false}});
        Queue queue = transport.queue(0);
        if (const auto head = queue.next()) {
            queue.take(*head);
            if (read(*head) != "bad") queue.finish(*head, 0);
        }
        EXPECT_EQ(why(), Broken::outside);
    }
}

TEST_F(Virtqueue, TellsWhenTheDriverWantsToKnow) {
    auto& ring = begin(feature_version_1);
    const std::uint64_t text = driver.text("a");
    const auto finish = [&] {
        driver.offer(ring, {{text, 1, false}});
        Queue queue = transport.queue(0);
        finish_next(queue);
        return queue.must_tell();
    };
    EXPECT_FALSE(transport.queue(0).must_tell()) << "nothing was finished";
    EXPECT_TRUE(finish());
    EXPECT_FALSE(transport.queue(0).must_tell()) << "it was told";
    driver.put<std::uint16_t>(ring.available, 1);  // VIRTQ_AVAIL_F_NO_INTERRUPT
    EXPECT_FALSE(finish());
    driver.put<std::uint16_t>(ring.available, 0);
    EXPECT_TRUE(finish());
}

TEST_F(Virtqueue, TellsAtTheEventThatTheDriverNames) {
    auto& ring = begin();
    const std::uint64_t text = driver.text("a"), used_event = ring.available + 4 + 32, available_event = ring.used + 4 + 128;
    const auto finish = [&] {
        driver.offer(ring, {{text, 1, false}});
        Queue queue = transport.queue(0);
        finish_next(queue);
        return queue.must_tell();
    };
    driver.put<std::uint16_t>(used_event, 2);
    EXPECT_FALSE(finish());
    EXPECT_FALSE(finish());
    EXPECT_TRUE(finish()) << "the third, which has number 2";
    EXPECT_FALSE(finish());
    EXPECT_FALSE(transport.queue(0).next());
    EXPECT_EQ(driver.get<std::uint16_t>(available_event), 4u) << "it wants to know of the next";
    for (int n = 4; n < 0x1'0000; ++n) (void)finish();
    driver.put<std::uint16_t>(used_event, 0);
    EXPECT_TRUE(finish()) << "after the counter went round";
}

TEST_F(Virtqueue, ChainsAreFinishedInAnyOrder) {
    auto& ring = begin();
    std::vector<std::uint16_t> heads;
    for (const char* const text : {"a", "b", "c"}) heads.push_back(driver.offer(ring, {{driver.text(text), 1, false}}));
    Queue queue = transport.queue(0);
    for (const std::uint16_t head : heads) {
        ASSERT_EQ(queue.next(), head);
        queue.take(head);
    }
    EXPECT_FALSE(queue.next());
    for (const std::size_t n : {2u, 0u, 1u}) {
        queue.finish(heads[n], static_cast<std::uint32_t>(n));
        const auto done = driver.finished(ring);
        ASSERT_TRUE(done);
        EXPECT_EQ(done->head, heads[n]);
        EXPECT_EQ(done->written, n);
    }
    EXPECT_EQ(state.queues[0].next, state.queues[0].done);
}

TEST_F(Virtqueue, SeveralAreFinishedAtOnceOrPutBack) {
    auto& ring = begin();
    std::vector<std::uint16_t> heads;
    for (const char* const text : {"a", "b", "c"}) heads.push_back(driver.offer(ring, {{driver.text(text), 1, false}}));
    Queue queue = transport.queue(0);
    for (const std::uint16_t head : heads) queue.take(head);
    queue.put_back(heads[1]);
    const std::array both{Queue::Finished{heads[0], 7}, Queue::Finished{heads[2], 8}};
    queue.finish(both);
    EXPECT_EQ(driver.finished(ring)->written, 7u);
    EXPECT_EQ(driver.finished(ring)->written, 8u);
    ASSERT_EQ(queue.next(), heads[1]);
    transport.queue(0).resume();
    ASSERT_EQ(queue.next(), heads[1]) << "another server has it, too";
    queue.take(heads[1]);
    EXPECT_FALSE(queue.next());
    queue.finish(heads[1], 9);
    EXPECT_EQ(driver.finished(ring)->head, heads[1]);
}

TEST_F(Virtqueue, AChainThatTheDeviceHasIsNotMadeAvailableAgain) {
    auto& ring = begin();
    const auto head = driver.offer(ring, {{driver.text("a"), 1, false}});
    Queue queue = transport.queue(0);
    queue.take(*queue.next());
    driver.publish(ring, head);
    EXPECT_FALSE(queue.next());
    EXPECT_EQ(why(), Broken::twice);
}

// The driver is asked to notify of the next chain before the device looks away, and what came in between is found.
TEST_F(Virtqueue, AsksToBeNotifiedBeforeItLooksAway) {
    auto& ring = begin();
    const std::uint64_t text = driver.text("a"), available_event = ring.used + 4 + 128;
    Queue queue = transport.queue(0);
    for (int n = 0; n < 3; ++n) {
        driver.offer(ring, {{text, 1, false}});
        finish_next(queue);
        EXPECT_EQ(driver.get<std::uint16_t>(available_event), 0u) << "while it looks, it needs no word of more";
    }
    EXPECT_FALSE(queue.next());
    EXPECT_EQ(driver.get<std::uint16_t>(available_event), 3u);
}

// Servers end at any moment: the state, the driver's memory included, as a copy of each after any store of another's. Whatever was taken
// and not finished comes again, once; what was finished does not.
TEST_F(Virtqueue, AnotherServerHasWhatTheLastHadNotFinished) {
    auto& ring = begin();
    std::vector<std::uint16_t> heads;
    for (const char* const text : {"a", "b", "c", "d"}) heads.push_back(driver.offer(ring, {{driver.text(text), 1, false}}));
    const auto take = [&](std::size_t n) { transport.queue(0).take(heads[n]); };
    for (std::size_t n = 0; n < 3; ++n) take(n);
    transport.queue(0).finish(heads[1], 0);
    QueueState& queue = state.queues[0];
    const QueueState before = queue;
    const auto tell_of = [&](std::size_t n) {
        queue.finishing = 1;
        driver.put<std::uint32_t>(ring.used + 4 + 8, heads[n]);
    };
    struct Moment {
        const char* what;
        std::function<void()> change;
        std::vector<std::size_t> comes;
    };
    const Moment moments[] = {
        {"between two calls", [] {}, {0, 2, 3}},
        {"it took one, and had not counted it", [&] { queue.taken[0] |= 1u << heads[3]; }, {0, 2, 3}},
        {"it finished one, and had not told", [&] { tell_of(2); }, {0, 2, 3}},
        {"it told of one, and had not forgotten it",
         [&] {
             tell_of(2);
             driver.put<std::uint16_t>(ring.used + 2, 2);
         },
         {0, 3}},
        {"it had forgotten it, and not counted",
         [&] {
             tell_of(2);
             queue.taken[0] &= ~(1u << heads[2]);
             driver.put<std::uint16_t>(ring.used + 2, 2);
         },
         {0, 3}},
        {"it had counted, and was at its next",
         [&] {
             tell_of(2);
             queue.taken[0] &= ~(1u << heads[2]);
             queue.done = 2;
             driver.put<std::uint16_t>(ring.used + 2, 2);
         },
         {0, 3}},
        {"a driver that lies about what was finished", [&] { driver.put<std::uint16_t>(ring.used + 2, 77); }, {0, 2, 3}},
        {"another ended while it began one anew", [&] { queue.again[0] = 1u << heads[0], queue.taken[0] &= ~(1u << heads[0]); }, {0, 2, 3}},
    };
    for (const Moment& moment : moments) {
        SCOPED_TRACE(moment.what);
        queue = before;
        driver.put<std::uint16_t>(ring.used + 2, 1);
        moment.change();
        transport.queue(0).resume();
        EXPECT_TRUE(transport.queue(0).must_tell()) << "the driver may not have been told of any";
        for (const std::size_t n : moment.comes) {
            ASSERT_EQ(transport.queue(0).next(), heads[n]);
            take(n);
        }
        EXPECT_FALSE(transport.queue(0).next());
        for (const std::size_t n : moment.comes) transport.queue(0).finish(heads[n], 0);
        EXPECT_EQ(queue.next, 4u);
        EXPECT_EQ(queue.done, 4u);
        EXPECT_EQ(why(), Broken::no);
    }
}

TEST_F(Virtqueue, FeaturesThatWereNotOfferedAreRefused) {
    for (const std::uint64_t asked : std::initializer_list<std::uint64_t>{all | 1u, all | 1ull << 40, 0, feature_indirect}) {
        SCOPED_TRACE(asked);
        driver.begin(transport, asked);
        EXPECT_EQ(transport.read(0x070, 4) & status_features_ok, 0u);
    }
    driver.begin(transport, all | 1u << 5);
    EXPECT_EQ(transport.read(0x070, 4), 11u);
    transport.write(0x024, 4, 0);
    transport.write(0x020, 4, 0);
    EXPECT_TRUE(transport.has(1u << 5)) << "they are agreed";
    transport.write(0x014, 4, 1);
    EXPECT_EQ(transport.read(0x010, 4), 1u);
    transport.write(0x014, 4, 0);
    EXPECT_EQ(transport.read(0x010, 4), 1u << 5 | 3u << 28);
    transport.write(0x014, 4, 2);
    EXPECT_EQ(transport.read(0x010, 4), 0u);
}

// Without it a Linux means addresses of its own choice, whatever its device tree says of a pool.
TEST_F(Virtqueue, WhereThereIsAPoolDriversAreTold) {
    ClientMemory pool;
    TransportState kept{};
    pool.make_pool();
    Transport modern{device, kept, pool, 2};
    modern.write(0x014, 4, 1);
    EXPECT_EQ(modern.read(0x010, 4), 3u) << "VERSION_1 and ACCESS_PLATFORM";
    driver.begin(modern, all | feature_access_platform);
    EXPECT_TRUE(modern.has(feature_access_platform)) << "and may agree";
    driver.begin(transport, all | feature_access_platform);
    EXPECT_EQ(transport.read(0x070, 4) & status_features_ok, 0u) << "not where all of its memory is seen";
}

TEST_F(Virtqueue, RegistersAreByTheStandard) {
    EXPECT_EQ(transport.read(0x008, 4), 42u);
    EXPECT_EQ(transport.read(0x00c, 4), 0x54524150u);
    transport.write(0x030, 4, 1);
    EXPECT_EQ(transport.read(0x034, 4), 16u);
    for (const std::uint32_t nobody : {2u, 31u, 32u, ~0u}) {
        transport.write(0x030, 4, nobody);
        EXPECT_EQ(transport.read(0x034, 4), 0u);
        transport.write(0x038, 4, 8);
        transport.write(0x044, 4, 1);
        EXPECT_EQ(transport.read(0x044, 4), 0u);
    }
    transport.write(0x030, 4, 1);
    for (const std::uint32_t bad : {0u, 3u, 32u, ~0u}) {
        transport.write(0x038, 4, bad);
        transport.write(0x044, 4, 1);
        EXPECT_EQ(transport.read(0x044, 4), 0u) << bad;
    }
    EXPECT_EQ(transport.read(0x100, 1), 1u);
    EXPECT_EQ(transport.read(0x102, 2), 0x0403u);
    EXPECT_EQ(transport.read(0x104, 4), 0x0807'0605u);
    EXPECT_EQ(transport.read(0x0b0, 4), ~0u);
    EXPECT_EQ(transport.read(0x070, 1), 0u) << "registers are words";
    transport.write(0x070, 1, 3);
    EXPECT_EQ(transport.read(0x070, 4), 0u);
}

TEST_F(Virtqueue, AReadyQueueStaysWhereItIs) {
    auto& ring = begin();
    transport.write(0x030, 4, 0);
    transport.write(0x080, 4, 0);
    transport.write(0x038, 4, 4);
    driver.offer(ring, {{driver.text("a"), 1, false}});
    EXPECT_EQ(read(*transport.queue(0).next()), "a<");
    transport.write(0x044, 4, 0);
    EXPECT_FALSE(transport.queue(0).next());
    const int before = device.resets;
    transport.write(0x070, 4, 0);
    EXPECT_EQ(device.resets, before + 1);
    EXPECT_EQ(transport.read(0x070, 4), 0u);
}

TEST_F(Virtqueue, VersionOneHasItsQueueInOnePiece) {
    Transport legacy{device, state, driver.client, 1};
    legacy.write(0x028, 4, 4096);
    legacy.write(0x070, 4, 0);
    legacy.write(0x070, 4, 3);
    EXPECT_EQ(legacy.read(0x010, 4), 1u << 5 | 3u << 28);
    legacy.write(0x014, 4, 1);
    EXPECT_EQ(legacy.read(0x010, 4), 0u) << "no VERSION_1";
    legacy.write(0x020, 4, 1u << 28);
    legacy.write(0x030, 4, 1);
    legacy.write(0x038, 4, 8);
    legacy.write(0x03c, 4, 4096);
    const std::uint64_t at = driver.take(8192, 4096);
    legacy.write(0x040, 4, static_cast<std::uint32_t>(at / 4096));
    EXPECT_EQ(legacy.read(0x040, 4), at / 4096);
    EXPECT_EQ(legacy.read(0x044, 4), 0u);
    legacy.write(0x070, 4, 7);
    EXPECT_TRUE(legacy.runs());
    FakeDriver::Ring ring{8, at, at + 128, at + 4096};
    driver.offer(ring, {{driver.text("old"), 3, false}});
    Queue queue = legacy.queue(1);
    const auto head = queue.next();
    ASSERT_TRUE(head);
    queue.finish(*head, 0);
    EXPECT_TRUE(queue.must_tell());
    EXPECT_EQ(driver.finished(ring)->head, *head);
    legacy.write(0x040, 4, 0);
    EXPECT_EQ(legacy.read(0x040, 4), 0u);
    EXPECT_FALSE(legacy.queue(1).next());
    legacy.write(0x040, 4, static_cast<std::uint32_t>(at / 4096));
    EXPECT_EQ(legacy.read(0x040, 4), 0u) << "without a size";
}

}  // namespace
}  // namespace partita::virtio
