// The console's ports, as a driver and the other ends of its channels see them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>

#include "fake_driver.hpp"
#include "fake_port_link.hpp"

namespace partita::virtio {
namespace {

constexpr std::uint64_t multiport = 1u << 1, features = feature_version_1 | feature_event_index | multiport;
enum Event : std::uint16_t { device_ready = 0, device_add = 1, port_ready = 3, port_open = 6, port_name = 7 };

// Port 0 ("in") gives the driver messages, 1 ("out") takes them, 2 ("value") gives the latest.
class ConsoleTest : public testing::Test {
protected:
    static constexpr std::array<Port, 3> ports{{{"in", false, false, 64}, {"out", true, false, 64}, {"value", false, true, 8}}};

    [[nodiscard]] static std::uint32_t rx(std::uint32_t port) { return port == 0 ? 0 : 2 * port + 2; }
    [[nodiscard]] static std::uint32_t tx(std::uint32_t port) { return rx(port) + 1; }
    void begin() {
        controls.clear();
        driver.begin(console, features);
        for (std::uint32_t queue = 0; queue < 8; ++queue) driver.make_queue(console, queue);
        console.write(0x070, 4, 15);
        for (int n = 0; n < 12; ++n) {
            const std::uint64_t buffer = driver.take(64);
            controls.push_back({buffer, driver.offer(driver.rings[2], {{buffer, 64, true}})});
        }
        console.notified(1u << 2);
    }
    void tell(std::uint32_t port, std::uint16_t event, std::uint16_t value) {
        std::string bytes(8, 0);
        std::memcpy(bytes.data(), &port, 4);
        std::memcpy(bytes.data() + 4, &event, 2);
        std::memcpy(bytes.data() + 6, &value, 2);
        driver.offer(driver.rings[3], {{driver.text(bytes), 8, false}});
        console.notified(1u << 3);
    }
    // What the device says of its ports since the last call: "port event value[ name]".
    std::vector<std::string> told() {
        std::vector<std::string> out;
        while (const auto done = driver.finished(driver.rings[2])) {
            const std::uint64_t buffer = controls.front().first;
            EXPECT_EQ(done->head, controls.front().second);
            controls.pop_front();
            std::string text = fmt::format("{} {} {}", driver.get<std::uint32_t>(buffer), driver.get<std::uint16_t>(buffer + 4),
                                           driver.get<std::uint16_t>(buffer + 6));
            if (done->written > 8) text += fmt::format(" {}", text_at(buffer + 8, done->written - 8));
            out.push_back(text);
        }
        return out;
    }
    void ready() {
        begin();
        tell(0, device_ready, 1);
        for (std::uint32_t port = 0; port < 3; ++port) tell(port, port_ready, 1);
        (void)told();
    }
    std::uint64_t give_buffer(std::uint32_t port, std::uint32_t size = 128) {
        const std::uint64_t buffer = driver.take(size);
        driver.offer(driver.rings[rx(port)], {{buffer, size, true}});
        console.notified(1u << rx(port));
        return buffer;
    }
    void say(std::uint32_t port, const std::string& text) {
        driver.offer(driver.rings[tx(port)], {{driver.text(text), static_cast<std::uint32_t>(text.size()), false}});
        console.notified(1u << tx(port));
    }
    std::string text_at(std::uint64_t buffer, std::uint32_t size) { return {reinterpret_cast<const char*>(driver.at(buffer)), size}; }

    FakeDriver driver;
    FakePortLink link;
    ConsoleState state{};
    Console console{state, driver.client, 2, ports, link};
    std::deque<std::pair<std::uint64_t, std::uint16_t>> controls;
};

using Strings = std::vector<std::string>;

TEST_F(ConsoleTest, TellsOfItsPortsWhenItIsAsked) {
    link.there = 1;
    begin();
    EXPECT_EQ(console.read(0x104, 4), 3u) << "max_nr_ports";
    EXPECT_EQ(told(), Strings{});
    tell(0, device_ready, 1);
    EXPECT_EQ(told(), (Strings{"0 1 1", "1 1 1", "2 1 1"}));
    tell(1, port_ready, 1);
    EXPECT_EQ(told(), (Strings{"1 7 1 out"}));
    tell(0, port_ready, 1);
    EXPECT_EQ(told(), (Strings{"0 7 1 in", "0 6 1"})) << "its other end is there";
    tell(0, device_ready, 1);
    EXPECT_EQ(told(), Strings{}) << "once";
    EXPECT_FALSE(link.interrupts.empty());
}

TEST_F(ConsoleTest, EndsThatComeAndGoAreTold) {
    ready();
    console.port_changed(1);
    EXPECT_EQ(told(), Strings{});
    link.there = 2;
    console.port_changed(1);
    EXPECT_EQ(told(), (Strings{"1 6 1"}));
    console.port_changed(1);
    EXPECT_EQ(told(), Strings{});
    link.there = 0;
    console.port_changed(1);
    EXPECT_EQ(told(), (Strings{"1 6 0"}));
}

TEST_F(ConsoleTest, WhatADriverIsOwedWaitsForItsBuffers) {
    driver.begin(console, features);
    for (std::uint32_t queue = 0; queue < 8; ++queue) driver.make_queue(console, queue);
    console.write(0x070, 4, 15);
    tell(0, device_ready, 1);
    for (int n = 0; n < 3; ++n) {
        EXPECT_EQ(told().size(), n == 0 ? 0u : 1u);
        const std::uint64_t buffer = driver.take(64);
        controls.push_back({buffer, driver.offer(driver.rings[2], {{buffer, 64, true}})});
        console.notified(1u << 2);
    }
    EXPECT_EQ(told(), (Strings{"2 1 1"}));
}

TEST_F(ConsoleTest, OneMessageIsOneBuffer) {
    ready();
    link.waiting[0] = {"first", "second"};
    const std::uint64_t one = give_buffer(0), two = give_buffer(0);
    EXPECT_FALSE(driver.finished(driver.rings[0])) << "no program has the port open";
    EXPECT_EQ(link.waiting[0].size(), 2u) << "and nothing is lost";
    tell(0, port_open, 1);
    EXPECT_EQ(driver.finished(driver.rings[0])->written, 5u);
    EXPECT_EQ(driver.finished(driver.rings[0])->written, 6u);
    EXPECT_EQ(text_at(one, 5), "first");
    EXPECT_EQ(text_at(two, 6), "second");
    link.waiting[0] = {"third"};
    console.port_changed(0);
    EXPECT_EQ(link.waiting[0].size(), 1u) << "there is no buffer";
    const std::uint64_t three = give_buffer(0);
    EXPECT_EQ(text_at(three, 5), "third");
    tell(0, port_open, 0);
    link.waiting[0] = {"fourth"};
    (void)give_buffer(0);
    EXPECT_EQ(link.waiting[0].size(), 1u);
}

TEST_F(ConsoleTest, AMessageMayLieInPieces) {
    ready();
    tell(0, port_open, 1);
    const std::uint64_t one = driver.take(30), two = driver.take(40);
    driver.offer(driver.rings[0], {{one, 30, true}, {two, 40, true}});
    link.waiting[0] = {"a message that is longer than its first piece"};
    console.notified(1u);
    EXPECT_EQ(text_at(one, 30) + text_at(two, 15), "a message that is longer than its first piece");
    driver.offer(driver.rings[tx(1)], {{driver.text("in two "), 7, false}, {driver.text("pieces"), 6, false}});
    console.notified(1u << tx(1));
    ASSERT_EQ(link.sent.size(), 1u);
    EXPECT_EQ(link.sent[0], (std::pair{1u, std::string{"in two pieces"}}));
}

TEST_F(ConsoleTest, WhereThereIsNoRoomMessagesWait) {
    ready();
    link.room = 1;
    say(1, "a");
    say(1, "b");
    say(1, "c");
    EXPECT_EQ(link.sent.size(), 1u);
    EXPECT_TRUE(driver.finished(driver.rings[tx(1)]));
    EXPECT_FALSE(driver.finished(driver.rings[tx(1)])) << "the driver still has them";
    link.room = 5;
    console.port_changed(1);
    ASSERT_EQ(link.sent.size(), 3u);
    EXPECT_EQ(link.sent[2].second, "c");
}

TEST_F(ConsoleTest, WhatIsTooLongIsDroppedAndTold) {
    ready();
    say(1, std::string(64, 'x'));
    say(1, std::string(65, 'y'));
    say(1, "z");
    ASSERT_EQ(link.sent.size(), 2u);
    EXPECT_EQ(link.sent[1].second, "z");
    EXPECT_EQ(link.long_ones, std::vector<std::uint32_t>{1});
    EXPECT_TRUE(link.stopped.empty());
}

TEST_F(ConsoleTest, OfAValueOneWaits) {
    ready();
    console.write(0x030, 4, rx(2));
    EXPECT_EQ(console.read(0x034, 4), 1u);
}

TEST_F(ConsoleTest, ABufferThatIsTooSmallStopsItAndLosesNothing) {
    ready();
    tell(0, port_open, 1);
    link.waiting[0] = {"message"};
    (void)give_buffer(0, 63);
    EXPECT_EQ(link.waiting[0].size(), 1u);
    EXPECT_EQ(link.stopped, (std::vector{std::pair{0u, Broken::too_small}}));
    EXPECT_EQ(console.read(0x070, 4), 15u | status_needs_reset);
    link.interrupts.clear();
    (void)give_buffer(0);
    EXPECT_TRUE(link.interrupts.empty()) << "it does nothing more";
    ready();
    tell(0, port_open, 1);
    const std::uint64_t buffer = give_buffer(0);
    EXPECT_EQ(text_at(buffer, 7), "message");
}

TEST_F(ConsoleTest, WithoutMultiportThereIsTheFirstPort) {
    driver.begin(console, feature_version_1);
    driver.make_queue(console, 0);
    driver.make_queue(console, 1);
    link.waiting[0] = {"plain"};
    const std::uint64_t buffer = driver.take(64);
    driver.offer(driver.rings[0], {{buffer, 64, true}});
    console.notified(1);
    EXPECT_EQ(link.waiting[0].size(), 1u) << "it is not ready";
    console.write(0x070, 4, 15);
    EXPECT_EQ(text_at(buffer, 5), "plain") << "what it was notified of before";
    console.port_changed(1);
    console.port_changed(7);
    EXPECT_TRUE(link.stopped.empty());
}

TEST_F(ConsoleTest, AnotherServerGoesOn) {
    ready();
    tell(0, port_open, 1);
    link.there = 1;
    console.port_changed(0);
    EXPECT_EQ(told(), (Strings{"0 6 1"}));
    link.waiting[0] = {"one"};
    const std::uint64_t first = give_buffer(0);
    EXPECT_EQ(text_at(first, 3), "one");
    (void)driver.finished(driver.rings[0]);
    Console other{state, driver.client, 2, ports, link};
    const std::uint64_t second = driver.take(128);
    driver.offer(driver.rings[0], {{second, 128, true}});  // while nobody served
    driver.offer(driver.rings[tx(1)], {{driver.text("kept"), 4, false}});
    link.waiting[0] = {"two"};
    link.there = 0;
    other.resume();
    EXPECT_EQ(text_at(second, 3), "two");
    EXPECT_EQ(link.sent.back().second, "kept");
    EXPECT_EQ(told(), (Strings{"0 6 0"})) << "it went meanwhile";
}

TEST_F(ConsoleTest, AReleaseForgetsEverything) {
    ready();
    tell(0, port_open, 1);
    (void)give_buffer(0);
    console.release();
    EXPECT_EQ(console.read(0x070, 4), 0u);
    link.waiting[0] = {"late"};
    console.port_changed(0);
    console.notified(~0u);
    EXPECT_EQ(link.waiting[0].size(), 1u);
    EXPECT_EQ(state.opened | state.known | state.ready, 0u);
}

TEST_F(ConsoleTest, StrangeControlMessagesChangeNothing) {
    ready();
    for (const std::uint32_t port : {3u, 31u, 32u, ~0u})
        for (const std::uint16_t event : {port_ready, port_open, device_ready}) tell(port, event, 1);
    tell(0, 99, 1);
    tell(0, device_ready, 0);
    driver.offer(driver.rings[3], {{driver.text("short"), 5, false}});
    console.notified(1u << 3);
    EXPECT_EQ(told(), Strings{});
    EXPECT_EQ(state.opened, 0u);
    EXPECT_TRUE(link.stopped.empty());
}

}  // namespace
}  // namespace partita::virtio
