// Network devices and the switch between them, as their drivers see them.
#include <gtest/gtest.h>

#include "fake_driver.hpp"
#include "network_switch.hpp"
#include "random.hpp"

namespace partita::parent {
namespace {

using namespace partita::virtio;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t checksum = 1u << 0, guest_checksum = 1u << 1, mac_feature = 1u << 5, guest_tcp4 = 1u << 7, host_tcp4 = 1u << 11,
                        merge = 1u << 15;
constexpr std::uint64_t plain_features = feature_version_1 | feature_indirect | feature_event_index | mac_feature;
constexpr std::uint64_t all_features = plain_features | checksum | guest_checksum | guest_tcp4 | host_tcp4 | merge;
constexpr MacAddress broadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

MacAddress mac(std::uint8_t n) { return {2, 0, 0, 0, 0, n}; }

// A partition with a network device, on a switch.
class Host final : public NetworkLink, public SwitchPort {
public:
    Host(Switch& on, PortRules rules, std::uint64_t features, std::uint32_t version = 2) : switch_(on) {
        number = on.add(*this, rules);
        device.emplace(state, driver.client, version, rules.mac, *this);
        driver.begin(*device, features);
        driver.make_queue(*device, 0, 32);
        driver.make_queue(*device, 1, 32);
        device->write(0x070, 4, 15);
    }
    [[nodiscard]] Sent send(const Frame& frame) override {
        return switch_.send(number, frame, now) == Switch::Sent::done ? Sent::done : Sent::wait;
    }
    void malformed() override { switch_.malformed(number); }
    void interrupt(std::uint32_t bits) override { interrupts.push_back(bits); }
    void broken(std::uint32_t queue, Broken why) override { stopped.emplace_back(queue, why); }
    [[nodiscard]] bool deliver(const Frame& frame) override { return device->deliver(frame); }
    void delivered() override { device->conclude(); }

    void give_buffers(unsigned count, std::uint32_t size, std::uint32_t first_part = 0) {
        for (unsigned n = 0; n < count; ++n) {
            const std::uint64_t at = driver.take(size);
            std::vector<FakeDriver::Buffer> parts;
            if (first_part != 0) parts.push_back({at, first_part, true});
            parts.push_back({at + first_part, size - first_part, true});
            buffers[driver.offer(driver.rings[0], parts)] = {at, size};
        }
    }
    void transmit(const FrameHeader& header, const Bytes& frame, std::uint32_t piece = ~0u) {
        std::string bytes(sizeof header, 0);
        std::memcpy(bytes.data(), &header, sizeof header);
        bytes.append(frame.begin(), frame.end());
        const std::uint64_t at = driver.text(bytes);
        std::vector<FakeDriver::Buffer> parts;
        const auto size = static_cast<std::uint32_t>(bytes.size());
        for (std::uint32_t done = 0; done < size; done += std::min(piece, size - done))
            parts.push_back({at + done, std::min(piece, size - done), false});
        driver.offer(driver.rings[1], parts);
        device->notified();
        switch_.conclude();
    }
    void transmit(const Bytes& frame) { transmit({}, frame); }
    // The next frame that it got, of as many buffers as the header says.
    struct Got {
        FrameHeader header;
        Bytes frame;
        unsigned buffers;
    };
    std::optional<Got> receive(std::uint32_t header_size = 12) {
        Got out{};
        Bytes all;
        unsigned wanted = 1;
        for (; out.buffers < wanted; ++out.buffers) {
            const auto done = driver.finished(driver.rings[0]);
            if (!done) {
                EXPECT_EQ(out.buffers, 0u) << "a frame of which a part is missing";
                return std::nullopt;
            }
            const auto& [at, size] = buffers[static_cast<std::uint16_t>(done->head)];
            EXPECT_LE(done->written, size);
            all.insert(all.end(), driver.at(at), driver.at(at) + done->written);
            if (out.buffers == 0) {
                std::memcpy(&out.header, all.data(), header_size);
                if (header_size == 12) wanted = out.header.buffers;
            }
        }
        out.frame.assign(all.begin() + header_size, all.end());
        return out;
    }

    FakeDriver driver;
    NetworkState state{};
    std::optional<Network> device;
    std::uint32_t number = 0;
    std::uint64_t now = 0;
    std::map<std::uint16_t, std::pair<std::uint64_t, std::uint32_t>> buffers;
    std::vector<std::uint32_t> interrupts;
    std::vector<std::pair<std::uint32_t, Broken>> stopped;

private:
    Switch& switch_;
};

Bytes frame(const MacAddress& to, const MacAddress& from, std::size_t size = 60) {
    Bytes out(size);
    Random random{static_cast<std::uint32_t>(size)};
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random());
    std::ranges::copy(to, out.begin());
    std::ranges::copy(from, out.begin() + 6);
    return out;
}

PortRules rules(std::uint8_t n, std::uint32_t group = 0) { return {.mac = mac(n), .group = group}; }

TEST(Network, SaysWhatItIs) {
    Switch sw{1000};
    Host host{sw, rules(7), all_features};
    EXPECT_EQ(host.device->read(0x008, 4), 1u);
    EXPECT_EQ(host.device->read(0x100, 4), 0x0000'0002u);
    EXPECT_EQ(host.device->read(0x104, 2), 0x0700u);
    EXPECT_EQ(host.device->read(0x106, 2), 1u) << "the link is up";
    EXPECT_EQ(host.device->read(0x10a, 2), 1500u) << "MTU";
}

TEST(Network, FramesGoToWhomTheyAreFor) {
    Switch sw{1000};
    Host a{sw, rules(1), all_features}, b{sw, rules(2), plain_features}, c{sw, rules(3), plain_features};
    for (Host* const host : {&a, &b, &c}) host->give_buffers(4, 1600);
    const Bytes to_b = frame(mac(2), mac(1), 1514);
    a.transmit({}, to_b, 100);
    const auto got = b.receive();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->frame, to_b);
    EXPECT_EQ(got->header.buffers, 1u);
    EXPECT_EQ(b.interrupts, std::vector<std::uint32_t>{1});
    EXPECT_FALSE(c.receive());
    EXPECT_TRUE(c.interrupts.empty());
    const Bytes to_all = frame(broadcast, mac(2));
    b.transmit(to_all);
    EXPECT_EQ(a.receive()->frame, to_all);
    EXPECT_EQ(c.receive()->frame, to_all);
    EXPECT_FALSE(b.receive()) << "not back to its sender";
    a.transmit(frame(mac(9), mac(1)));
    EXPECT_FALSE(b.receive() || c.receive()) << "nobody can have this address";
    EXPECT_EQ(sw.counters(0).sent_frames, 2u);
    EXPECT_EQ(sw.counters(1).received_bytes, 1514u);
    EXPECT_EQ(sw.counters(2).received_frames, 1u);
    EXPECT_EQ(a.driver.rings[1].seen, 0u);
    ASSERT_TRUE(a.driver.finished(a.driver.rings[1])) << "what was sent is the driver's again";
}

TEST(Network, NobodySendsFromAnothersAddress) {
    Switch sw{1000};
    Host a{sw, rules(1), plain_features}, b{sw, rules(2), plain_features};
    Host bridge{sw, {.mac = mac(3), .any_mac = true}, plain_features};
    for (Host* const host : {&a, &b, &bridge}) host->give_buffers(4, 1600);
    a.transmit(frame(mac(2), mac(3)));
    a.transmit(frame(broadcast, mac(8)));
    a.transmit(frame(broadcast, broadcast));
    bridge.transmit(frame(mac(2), mac(1)));
    bridge.transmit(frame(mac(2), broadcast));
    EXPECT_FALSE(b.receive());
    EXPECT_EQ(sw.counters(0).foreign, 3u);
    EXPECT_EQ(sw.counters(2).foreign, 2u);
    bridge.transmit(frame(mac(2), mac(77)));
    EXPECT_TRUE(b.receive());
    b.transmit(frame(mac(77), mac(2)));
    EXPECT_TRUE(bridge.receive()) << "behind it, as was learned";
    EXPECT_FALSE(a.receive());
}

// What is behind two ports that may have any address: frames go where an address was seen last, everywhere before that, and again after
// long.
TEST(Network, AddressesAreLearnedAndForgotten) {
    Switch sw{1000};
    Host a{sw, rules(1), plain_features};
    Host outside{sw, {.any_mac = true, .uplink = true}, plain_features}, bridge{sw, {.mac = mac(3), .any_mac = true}, plain_features};
    for (Host* const host : {&outside, &bridge}) host->give_buffers(16, 1600);
    const auto seen = [&] { return std::pair{outside.receive().has_value(), bridge.receive().has_value()}; };
    a.transmit(frame(mac(50), mac(1)));
    EXPECT_EQ(seen(), (std::pair{true, true}));
    outside.transmit(frame(mac(1), mac(50)));
    a.transmit(frame(mac(50), mac(1)));
    EXPECT_EQ(seen(), (std::pair{true, false}));
    bridge.transmit(frame(mac(1), mac(50)));
    a.transmit(frame(mac(50), mac(1)));
    EXPECT_EQ(seen(), (std::pair{false, true})) << "it moved";
    a.now = 301'000;
    a.transmit(frame(mac(50), mac(1)));
    EXPECT_EQ(seen(), (std::pair{true, true})) << "it was not seen for long";
    for (std::uint32_t n = 0; n < 4000; ++n) {
        Bytes one = frame(mac(1), mac(9));
        one[8] = static_cast<std::uint8_t>(n), one[9] = static_cast<std::uint8_t>(n >> 8);
        outside.now = n;
        sw.send(outside.number, {{}, std::array{Segment{one.data(), 60, false}}, 60}, n) == Switch::Sent::done ? void() : ADD_FAILURE();
    }
    bridge.now = 5000;
    bridge.transmit(frame(mac(1), mac(60)));
    a.now = 5001;
    a.transmit(frame(mac(60), mac(1)));
    EXPECT_EQ(seen(), (std::pair{false, true})) << "however many were learned before";
}

TEST(Network, GroupsDoNotReachEachOther) {
    Switch sw{1000};
    Host a{sw, rules(1, 1), plain_features}, b{sw, rules(2, 2), plain_features}, c{sw, rules(3, 1), plain_features};
    Host outside{sw, {.any_mac = true, .uplink = true}, plain_features};
    for (Host* const host : {&a, &b, &c, &outside}) host->give_buffers(8, 1600);
    a.transmit(frame(mac(2), mac(1)));
    a.transmit(frame(broadcast, mac(1)));
    EXPECT_FALSE(b.receive());
    EXPECT_TRUE(c.receive() && outside.receive());
    outside.transmit(frame(mac(2), mac(50)));
    EXPECT_TRUE(b.receive()) << "the uplink is for all";
    b.transmit(frame(mac(50), mac(2)));
    EXPECT_TRUE(outside.receive());
}

TEST(Network, ARateIsKept) {
    Switch sw{1000};
    Host a{sw, {.mac = mac(1), .rate = 100'000}, plain_features}, b{sw, rules(2), plain_features};
    Bytes one = frame(mac(2), mac(1), 1000);
    const std::array parts{Segment{one.data(), 1000, false}};
    const auto send = [&](std::uint64_t now) { return sw.send(a.number, {{}, parts, 1000}, now) == Switch::Sent::done; };
    unsigned at_once = 0;
    while (send(0)) ++at_once;
    EXPECT_GE(at_once, 131u) << "a burst";
    EXPECT_LE(at_once, 132u);
    EXPECT_EQ(sw.counters(0).delayed, 1u);
    const std::uint64_t ready = sw.ready_at(0);
    EXPECT_GT(ready, 0u);
    EXPECT_LE(ready, 11u);
    EXPECT_FALSE(send(ready - 1));
    EXPECT_TRUE(send(ready));
    unsigned sent = 0;
    for (std::uint64_t now = ready + 1; now < ready + 10'000; ++now) sent += send(now) ? 1u : 0u;
    EXPECT_NEAR(sent, 1000, 2) << "in ten seconds";
    const unsigned before = at_once;
    for (at_once = 0; send(std::uint64_t{1} << 62);) ++at_once;
    EXPECT_NEAR(at_once, before, 1) << "after however long: a burst, and nothing has overflowed";
    b.give_buffers(1, 1600);
    a.now = std::uint64_t{1} << 62;
    a.transmit(one);
    EXPECT_TRUE(a.device->waits());
    EXPECT_FALSE(a.driver.finished(a.driver.rings[1])) << "it stays the driver's";
    a.now += 100;
    a.device->notified();
    EXPECT_FALSE(a.device->waits());
    EXPECT_TRUE(a.driver.finished(a.driver.rings[1]));
    EXPECT_TRUE(b.receive());
}

TEST(Network, LargeFramesAreMergedOrCut) {
    Switch sw{1000};
    Host a{sw, rules(1), all_features}, merges{sw, rules(2), all_features}, plain{sw, rules(3), plain_features};
    Host large{sw, rules(4), all_features & ~merge};
    Bytes tcp = frame(mac(2), mac(1), 54 + 20'000);
    tcp[12] = 8, tcp[13] = 0, tcp[14] = 0x45, tcp[23] = 6, tcp[46] = 0x50;
    FrameHeader header{};
    header.flags = FrameHeader::needs_checksum, header.gso_type = FrameHeader::tcp4, header.segment_size = 1460, header.checksum_start = 34,
    header.checksum_offset = 16;
    merges.give_buffers(5, 1536), plain.give_buffers(14, 1536), large.give_buffers(1, 66'000);
    a.transmit(header, tcp, 4096);
    EXPECT_FALSE(merges.receive()) << "not a part of it";
    EXPECT_EQ(sw.counters(1).no_room, 1u);
    merges.give_buffers(12, 1536, 11);
    a.transmit(header, tcp, 4096);
    const auto merged = merges.receive();
    ASSERT_TRUE(merged);
    EXPECT_EQ(merged->frame, tcp);
    EXPECT_EQ(merged->header.buffers, 14u);
    EXPECT_EQ(merged->buffers, 14u);
    EXPECT_EQ(merged->header.gso_type, FrameHeader::tcp4);
    tcp[5] = 3;
    a.transmit(header, tcp);
    std::size_t data = 0;
    unsigned frames = 0;
    while (const auto one = plain.receive()) {
        EXPECT_EQ(one->header.gso_type, FrameHeader::plain);
        EXPECT_EQ(one->header.flags, 0u);
        data += one->frame.size() - 54, ++frames;
    }
    EXPECT_EQ(frames, 14u);
    EXPECT_EQ(data, 20'000u);
    tcp[5] = 4;
    a.transmit(header, tcp);
    EXPECT_EQ(large.receive()->frame, tcp);
}

TEST(Network, WhatIsNoFrameIsCountedAndDropped) {
    Switch sw{1000};
    Host a{sw, rules(1), plain_features}, b{sw, rules(2), plain_features};
    b.give_buffers(8, 1600);
    FrameHeader sums{};
    sums.flags = FrameHeader::needs_checksum, sums.checksum_start = 20;
    a.transmit(sums, frame(mac(2), mac(1)));
    FrameHeader cut{};
    cut.gso_type = FrameHeader::tcp4, cut.flags = FrameHeader::needs_checksum, cut.segment_size = 100;
    a.transmit(cut, frame(mac(2), mac(1)));
    a.transmit(frame(mac(2), mac(1), 13));
    a.transmit(Bytes{});
    a.transmit(frame(mac(2), mac(1), 1519));
    a.transmit({}, frame(mac(2), mac(1), 1518), 20);
    EXPECT_EQ(sw.counters(0).malformed, 6u) << "what was not agreed, too short, too long, in too many parts";
    EXPECT_FALSE(b.receive());
    EXPECT_TRUE(a.stopped.empty());
    a.transmit(frame(mac(2), mac(1)));
    EXPECT_TRUE(b.receive());
}

TEST(Network, NobodyIsHarmedByAReceiverThatTakesNothing) {
    Switch sw{1000};
    Host a{sw, rules(1), plain_features}, full{sw, rules(2), plain_features}, small{sw, rules(3), plain_features},
        off{sw, rules(4), plain_features};
    small.give_buffers(4, 30);
    off.give_buffers(4, 1600);
    off.device->write(0x070, 4, 0);
    a.transmit(frame(mac(2), mac(1)));
    a.transmit(frame(mac(3), mac(1)));
    a.transmit(frame(mac(4), mac(1)));
    for (std::uint32_t n = 1; n <= 3; ++n) EXPECT_EQ(sw.counters(n).no_room, 1u) << n;
    EXPECT_FALSE(a.device->waits());
    EXPECT_EQ(sw.counters(0).sent_frames, 3u);
    const std::uint64_t table = full.driver.take(16);
    full.driver.describe(full.driver.rings[0].descriptors, 0, table, 15, FakeDriver::indirect, 0);
    full.driver.publish(full.driver.rings[0], 0);
    a.transmit(frame(mac(2), mac(1)));
    sw.conclude();
    full.device->conclude();
    ASSERT_EQ(full.stopped.size(), 1u);
    EXPECT_EQ(full.stopped[0].second, Broken::bad_table);
}

TEST(Network, ADriverThatNeverStopsTakesNoOthersTurn) {
    Switch sw{1000};
    Host a{sw, rules(1), plain_features};
    const std::uint64_t at = a.driver.text(std::string(72, 0));
    for (int n = 0; n < 32; ++n) a.driver.offer(a.driver.rings[1], {{at, 72, false}});
    a.device->notified();
    EXPECT_TRUE(a.device->is_busy());
    a.device->notified();
    EXPECT_FALSE(a.device->is_busy());
}

TEST(Network, AnotherServerGoesOn) {
    Switch sw{1000};
    Host a{sw, rules(1), all_features}, b{sw, rules(2), all_features};
    b.give_buffers(4, 1600);
    a.transmit(frame(mac(2), mac(1)));
    ASSERT_TRUE(b.receive());
    for (Host* const host : {&a, &b}) {
        host->device.emplace(host->state, host->driver.client, 2, mac(1), *host);
        host->device->resume();
    }
    a.transmit(frame(mac(2), mac(1), 100));
    EXPECT_EQ(b.receive()->frame.size(), 100u);
}

TEST(Network, TheOlderInterfaceHasAShorterHeader) {
    Switch sw{1000};
    Host a{sw, rules(1), plain_features};
    FakeDriver driver;
    struct Old final : NetworkLink, SwitchPort {
        Sent send(const Frame& frame) override { return sw->send(number, frame, 0) == Switch::Sent::done ? Sent::done : Sent::wait; }
        void malformed() override { sw->malformed(number); }
        void interrupt(std::uint32_t) override {}
        void broken(std::uint32_t, Broken) override {}
        bool deliver(const Frame& frame) override { return device->deliver(frame); }
        void delivered() override { device->conclude(); }
        Switch* sw = nullptr;
        std::uint32_t number = 0;
        Network* device = nullptr;
    } old;
    NetworkState state{};
    Network device{state, driver.client, 1, mac(2), old};
    old.sw = &sw, old.device = &device, old.number = sw.add(old, rules(2));
    device.write(0x028, 4, 4096);
    device.write(0x070, 4, 3);
    for (std::uint32_t queue = 0; queue < 2; ++queue) {
        device.write(0x030, 4, queue);
        const std::uint64_t at = driver.take(8192, 4096);
        device.write(0x038, 4, 16);
        device.write(0x03c, 4, 4096);
        device.write(0x040, 4, static_cast<std::uint32_t>(at / 4096));
        driver.rings[queue] = {.entries = 16, .descriptors = at, .available = at + 256, .used = at + 4096};
    }
    device.write(0x070, 4, 7);
    const std::uint64_t buffer = driver.take(1600);
    driver.offer(driver.rings[0], {{buffer, 1600, true}});
    const Bytes to_old = frame(mac(2), mac(1));
    a.transmit(to_old);
    EXPECT_EQ(driver.finished(driver.rings[0])->written, 70u);
    EXPECT_EQ(Bytes(driver.at(buffer + 10), driver.at(buffer + 70)), to_old);
    a.give_buffers(1, 1600);
    const Bytes to_new = frame(mac(1), mac(2));
    driver.offer(driver.rings[1], {{driver.text(std::string(10, 0) + std::string(to_new.begin(), to_new.end())), 70, false}});
    device.notified();
    sw.conclude();
    EXPECT_EQ(a.receive()->frame, to_new);
}

}  // namespace
}  // namespace partita::parent
