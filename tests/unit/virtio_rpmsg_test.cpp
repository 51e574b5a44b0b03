// RPMsg's endpoints, as Linux' driver and the other ends of the channels see them.
#include "partita/guest/virtio/rpmsg.hpp"

#include <gtest/gtest.h>

#include "fake_driver.hpp"
#include "fake_port_link.hpp"

namespace partita::virtio {
namespace {

constexpr std::uint64_t features = feature_version_1 | feature_event_index;
constexpr std::uint32_t first = Rpmsg::first_address, buffer_size = 512, header_size = 16;
using Strings = std::vector<std::string>;

// Port 0 ("in") gives the driver messages, 1 and 2 ("out", "log") take them.
class RpmsgTest : public testing::Test {
protected:
    static constexpr std::array<Port, 3> ports{{{"in", false, false, 64}, {"out", true, false, 64}, {"log", true, false, 496}}};

    void begin() {
        buffers.clear();
        driver.begin(rpmsg, features);
        for (const std::uint32_t queue : {0u, 1u}) driver.make_queue(rpmsg, queue);
        for (int n = 0; n < 8; ++n) give_buffer();
        rpmsg.write(0x070, 4, 15);
        rpmsg.notified(1);
    }
    void give_buffer(std::uint32_t size = buffer_size) {
        const std::uint64_t buffer = driver.take(size);
        buffers[driver.offer(driver.rings[0], {{buffer, size, true}})] = buffer;
    }
    // What came since the last call: "source>destination text".
    Strings came() {
        Strings out;
        while (const auto done = driver.finished(driver.rings[0])) {
            const std::uint64_t at = buffers.at(static_cast<std::uint16_t>(done->head)), data = at + header_size;
            const auto from = driver.get<std::uint32_t>(at), to = driver.get<std::uint32_t>(at + 4);
            const auto size = driver.get<std::uint16_t>(at + 12);
            EXPECT_EQ(driver.get<std::uint32_t>(at + 8), 0u) << "reserved";
            EXPECT_EQ(done->written, header_size + size);
            out.push_back(fmt::format("{}>{} {}", from, to, std::string{reinterpret_cast<const char*>(driver.at(data)), size}));
        }
        return out;
    }
    std::string message(std::uint32_t from, std::uint32_t to, const std::string& text, std::uint32_t size = ~0u) {
        std::string out(header_size, 0);
        const auto bytes = static_cast<std::uint16_t>(size == ~0u ? text.size() : size);
        std::memcpy(out.data(), &from, 4);
        std::memcpy(out.data() + 4, &to, 4);
        std::memcpy(out.data() + 12, &bytes, 2);
        return out + text;
    }
    void say(const std::string& bytes) {
        driver.offer(driver.rings[1], {{driver.text(bytes), static_cast<std::uint32_t>(bytes.size()), false}});
        rpmsg.notified(2);
    }
    // Messages that the device has taken from the driver, since the last call.
    int taken() {
        int out = 0;
        while (driver.finished(driver.rings[1])) ++out;
        return out;
    }

    FakeDriver driver;
    FakePortLink link;
    RpmsgState state{};
    Rpmsg rpmsg{state, driver.client, 2, ports, link};
    std::map<std::uint16_t, std::uint64_t> buffers;
    std::uint64_t again = 0;
};

TEST_F(RpmsgTest, IsWhatLinuxKnows) {
    begin();
    EXPECT_EQ(rpmsg.read(0x008, 4), 7u);
    rpmsg.write(0x014, 4, 0);
    EXPECT_EQ(rpmsg.read(0x010, 4) & 1u, 0u) << "nothing is announced";
    rpmsg.write(0x030, 4, 0);
    const std::uint32_t to_driver = rpmsg.read(0x034, 4);
    rpmsg.write(0x030, 4, 1);
    EXPECT_EQ(rpmsg.read(0x034, 4), to_driver) << "its queues are of one size";
    EXPECT_EQ(came(), Strings{});
}

TEST_F(RpmsgTest, MessagesGoToWhomTheyAreFor) {
    link.there = 7;
    begin();
    say(message(1030, first + 1, "one"));
    say(message(1031, first + 2, std::string(496, 'x')));
    EXPECT_EQ(link.sent, (decltype(link.sent){{1, "one"}, {2, std::string(496, 'x')}}));
    EXPECT_EQ(taken(), 2);
    link.waiting[0] = {"early"};
    rpmsg.port_changed(0);
    EXPECT_EQ(came(), Strings{}) << "nobody has spoken to it";
    say(message(1040, first, "to whom it may concern"));
    EXPECT_EQ(came(), (Strings{"1024>1040 early"}));
    EXPECT_EQ(link.sent.size(), 2u) << "it takes none";
    link.waiting[0] = {"later", ""};
    rpmsg.port_changed(0);
    EXPECT_EQ(came(), (Strings{"1024>1040 later", "1024>1040 "}));
    say(message(1041, first, ""));
    link.waiting[0] = {"another"};
    rpmsg.port_changed(0);
    EXPECT_EQ(came(), (Strings{"1024>1041 another"})) << "whoever spoke last";
}

TEST_F(RpmsgTest, WhatIsNoMessageIsDropped) {
    link.there = 7;
    begin();
    say("short");
    say(message(1030, first + 1, "abc", 4));  // more than there is
    say(message(1030, first + 3, "nobody"));
    say(message(1030, first - 1, "nobody"));
    say(message(1030, 53, std::string(40, 'x')));  // an announcement
    say(message(1030, first + 1, ""));
    EXPECT_EQ(taken(), 6);
    EXPECT_TRUE(link.sent.empty());
    EXPECT_TRUE(link.long_ones.empty());
    say(message(1030, first + 1, std::string(65, 'x')));
    EXPECT_EQ(link.long_ones, std::vector<std::uint32_t>{1});
    EXPECT_EQ(taken(), 1);
    say(message(1030, first + 1, "whole, and more", 5));
    EXPECT_EQ(link.sent, (decltype(link.sent){{1, "whole"}}));
    EXPECT_TRUE(link.stopped.empty());
}

TEST_F(RpmsgTest, WhatHasNoRoomWaitsUnlessNobodyWouldTakeIt) {
    link.there = 7;
    begin();
    link.room = 1;
    for (const char* const text : {"one", "two", "three"}) say(message(1030, first + 1, text));
    EXPECT_EQ(taken(), 1);
    link.room = 1;
    rpmsg.port_changed(1);
    EXPECT_EQ(taken(), 1);
    link.room = 0;
    link.there = 5;
    rpmsg.port_changed(1);
    EXPECT_EQ(taken(), 1);
    EXPECT_EQ(link.sent, (decltype(link.sent){{1, "one"}, {1, "two"}}));
}

TEST_F(RpmsgTest, ABufferElsewhereStopsIt) {
    begin();
    driver.offer(driver.rings[1], {{driver.take(16), 16, false}, {FakeDriver::base + FakeDriver::size, 16, false}});
    rpmsg.notified(2);
    EXPECT_EQ(link.stopped, (decltype(link.stopped){{1, Broken::outside}}));
    EXPECT_NE(rpmsg.read(0x070, 4) & status_needs_reset, 0u);
}

TEST_F(RpmsgTest, AMessageForASmallBufferIsNotLost) {
    link.there = 1;
    begin();
    say(message(1040, first, ""));
    for (int n = 0; n < 8; ++n) link.waiting[0].push_back("fills");
    rpmsg.port_changed(0);
    EXPECT_EQ(came().size(), 8u);
    link.waiting[0] = {"kept"};
    give_buffer(header_size + 63);
    rpmsg.notified(1);
    EXPECT_EQ(link.stopped, (decltype(link.stopped){{0, Broken::too_small}}));
    EXPECT_EQ(link.waiting[0].size(), 1u);
}

TEST_F(RpmsgTest, ADriverThatGivesMoreWithoutEndTakesOnlyItsTurn) {
    link.there = 7;
    begin();
    link.each = [&](std::uint32_t, std::uint32_t) {  // as another virtual CPU of the driver's would
        const std::string bytes = message(1030, first + 1, "more");
        driver.offer(driver.rings[1], {{again, static_cast<std::uint32_t>(bytes.size()), false}});
    };
    again = driver.text(message(1030, first + 1, "more"));
    say(message(1030, first + 1, "first"));
    EXPECT_EQ(link.sent.size(), 64u);
    EXPECT_TRUE(rpmsg.is_busy());
    link.each = nullptr;
    rpmsg.notified(~0u);
    EXPECT_EQ(link.sent.size(), 65u);
    EXPECT_FALSE(rpmsg.is_busy());
}

// What waited in the queue is sent by the next server, which knows who is talked to.
TEST_F(RpmsgTest, AnotherServerGoesOn) {
    link.there = 7;
    begin();
    say(message(1040, first, ""));
    link.room = 0;
    say(message(1030, first + 1, "waits"));
    (void)taken();
    Rpmsg next{state, driver.client, 2, ports, link};
    link.room = 9;
    link.there = 5;
    link.waiting[0] = {"for the same"};
    next.resume();
    EXPECT_EQ(link.sent, (decltype(link.sent){{1, "waits"}}));
    EXPECT_EQ(taken(), 1);
    EXPECT_EQ(came(), (Strings{"1024>1040 for the same"}));
    next.release();
    EXPECT_EQ(state.endpoints[0], 0u);
}

}  // namespace
}  // namespace partita::virtio
