// The driver's side of virtio, against the device's: what a server drives, beside what it serves. Both by the standard, by other code.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "partita/guest/guest.h"
#include "partita/guest/virtio/block_requests.hpp"
#include "random.hpp"

extern "C" void device_barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

namespace partita::virtio {
namespace {

// Memory below 4 GiB: descriptors of the driver hold addresses as its partition has them.
class LowMemory {
public:
    static constexpr std::size_t size = 1 << 20;
    LowMemory() : at_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0)) {
        EXPECT_NE(at_, MAP_FAILED);
        EXPECT_TRUE(client.add(address(at_), at_, size));
    }
    ~LowMemory() { munmap(at_, size); }
    LowMemory(const LowMemory&) = delete;
    LowMemory& operator=(const LowMemory&) = delete;
    static std::uint32_t address(const void* at) { return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(at)); }
    template <typename Value>
    Value& make() {
        auto* const at = static_cast<std::uint8_t*>(at_) + used_;
        used_ += (sizeof(Value) + 63) / 64 * 64;
        EXPECT_LE(used_, size);
        return *new (at) Value{};
    }
    ClientMemory client;

private:
    void* at_;
    std::size_t used_ = 0;
};

class Driver : public testing::Test {
protected:
    void open(std::uint32_t entries, bool event_index) {
        driver.open(entries, event_index);
        state = {};
        state.descriptors = LowMemory::address(driver.descriptors());
        state.available = LowMemory::address(driver.available());
        state.used = LowMemory::address(driver.used());
        state.size = entries;
        state.ready = 1;
        events = event_index;
    }
    [[nodiscard]] Queue device() { return {state, low.client, {.indirect = true, .event_index = events}}; }
    [[nodiscard]] std::optional<std::uint16_t> take() {
        Queue queue = device();
        const auto head = queue.next();
        if (head) queue.take(*head);
        return head;
    }

    LowMemory low;
    DriverQueue& driver = low.make<DriverQueue>();
    QueueState state{};
    bool events = false;
};

// Requests come and go in any order; each is seen once by either side, and notifications and interrupts lose nothing.
TEST_F(Driver, NothingIsLostInEitherDirection) {
    struct Word {
        std::uint32_t value;
    };
    auto& words = low.make<std::array<Word, 256>>();
    for (const bool event_index : {false, true})
        for (const std::uint32_t entries : {4u, 64u, 256u}) {
            SCOPED_TRACE(entries);
            open(entries, event_index);
            Random random{entries};
            std::vector<std::uint16_t> taken;
            std::uint32_t offered = 0, ended = 0;
            bool told_device = false, told_driver = false;
            for (int step = 0; step < 40'000; ++step) {
                if (random() % 2 == 0) {  // the driver, when it was interrupted or has more
                    for (std::uint32_t n = random() % 4; n != 0 && driver.free() != 0; --n) {
                        const std::uint16_t number = driver.next();
                        words[number].value = offered++;
                        driver.offer(&words[number], 4, 0);
                    }
                    told_device = driver.publish() || told_device;
                    if (told_driver) {
                        told_driver = false;
                        while (const auto done = driver.finished()) {
                            EXPECT_EQ(done->written, words[done->number].value);
                            ++ended;
                        }
                    }
                } else {  // the device, when it was notified
                    if (told_device) {
                        told_device = false;
                        while (const auto head = take()) taken.push_back(*head);
                    }
                    for (std::uint32_t n = random() % 4; n != 0 && !taken.empty(); --n) {
                        const std::size_t which = random() % taken.size();
                        device().finish(taken[which], words[taken[which]].value);
                        taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(which));
                    }
                    told_driver = device().must_tell() || told_driver;
                }
            }
            for (int round = 0; round < 4; ++round) {  // and all of it comes to an end
                if (std::exchange(told_device, false))
                    while (const auto head = take()) taken.push_back(*head);
                for (const std::uint16_t head : taken) device().finish(head, words[head].value);
                taken.clear();
                told_driver = device().must_tell() || told_driver;
                if (std::exchange(told_driver, false))
                    while (driver.finished()) ++ended;
            }
            EXPECT_EQ(ended, offered);
            EXPECT_GT(offered, 1000u);
            EXPECT_EQ(driver.free(), entries);
            EXPECT_EQ(state.broken, 0u);
        }
}

// A device that says what cannot be is not believed.
TEST_F(Driver, ADeviceThatLiesBreaksItsQueue) {
    std::uint32_t& word = low.make<std::uint32_t>();
    for (const std::uint32_t lie : {1u, 4u, ~0u}) {
        open(4, false);
        driver.offer(&word, 4, 0);
        (void)driver.publish();
        auto* const used = reinterpret_cast<std::uint32_t*>(const_cast<void*>(driver.used()));
        used[1] = lie;
        used[0] = 1u << 16;
        EXPECT_FALSE(driver.finished());
        EXPECT_TRUE(driver.broken()) << lie;
    }
}

class Ended final : public RequestOwner {
public:
    void ended(std::uint32_t tag, Disk::Result result) override { all.emplace_back(tag, result); }
    std::vector<std::pair<std::uint32_t, Disk::Result>> all;
};

class Requests : public Driver {
protected:
    Requests() {
        requests.queue().open(BlockRequests::most, true);
        state.descriptors = LowMemory::address(requests.queue().descriptors());
        state.available = LowMemory::address(requests.queue().available());
        state.used = LowMemory::address(requests.queue().used());
        state.size = BlockRequests::most, state.ready = 1;
        events = true;
    }
    // What the device is asked for: each buffer's size and direction, and the bytes of those that it reads.
    struct Seen {
        std::uint16_t head = 0;
        std::vector<std::pair<std::uint32_t, bool>> shape;
        std::vector<std::uint8_t> bytes;
        std::uint8_t* status = nullptr;
    };
    [[nodiscard]] Seen see() {
        Seen out;
        const auto head = take();
        EXPECT_TRUE(head);
        if (!head) return out;
        out.head = *head;
        EXPECT_TRUE(device().walk(*head, [&](const Segment& part) {
            out.shape.emplace_back(part.size, part.writable);
            if (!part.writable) out.bytes.insert(out.bytes.end(), part.at, part.at + part.size);
            out.status = part.at;
            return true;
        }));
        return out;
    }
    static std::uint64_t word(const Seen& seen, std::size_t at, std::size_t size) {
        std::uint64_t out = 0;
        std::memcpy(&out, seen.bytes.data() + at, size);
        return out;
    }
    BlockRequests& requests = low.make<BlockRequests>();
    Ended owner;
};

TEST_F(Requests, AreWhatTheStandardSays) {
    auto& data = low.make<std::array<std::uint8_t, 1536>>();
    data.fill(7);
    const std::array parts{Segment{data.data(), 1000, true}, Segment{data.data() + 1000, 536, true}};
    using Action = Disk::Action;
    struct Case {
        Action action;
        std::uint32_t type;
        std::vector<std::pair<std::uint32_t, bool>> shape;
    };
    const Case cases[] = {{Action::read, 0, {{16, false}, {1000, true}, {536, true}, {1, true}}},
                          {Action::write, 1, {{16, false}, {1000, false}, {536, false}, {1, true}}},
                          {Action::flush, 4, {{16, false}, {1, true}}},
                          {Action::discard, 11, {{16, false}, {16, false}, {1, true}}},
                          {Action::zero, 13, {{16, false}, {16, false}, {1, true}}}};
    for (const Case& one : cases) {
        SCOPED_TRACE(one.type);
        const bool moves = one.action == Action::read || one.action == Action::write;
        const Disk::Request request{one.action, 40960, 1536, moves ? std::span<const Segment>{parts} : std::span<const Segment>{},
                                    one.type + 100};
        ASSERT_EQ(requests.begin(request, owner), Disk::Result::later);
        (void)requests.queue().publish();
        const Seen seen = see();
        EXPECT_EQ(seen.shape, one.shape);
        EXPECT_EQ(word(seen, 0, 4), one.type);
        if (moves) {
            EXPECT_EQ(word(seen, 8, 8), 80u);
        }
        if (one.shape.size() == 3) {
            EXPECT_EQ(word(seen, 16, 8), 80u);
            EXPECT_EQ(word(seen, 24, 4), 3u);
        }
        *seen.status = one.type == 4 ? 1 : one.type == 11 ? 2 : one.type == 13 ? 77 : 0;
        device().finish(seen.head, 1);
        requests.finish();
        ASSERT_EQ(owner.all.size(), 1u);
        EXPECT_EQ(owner.all[0].first, one.type + 100);
        EXPECT_EQ(owner.all[0].second, one.type == 4    ? Disk::Result::failed
                                       : one.type == 11 ? Disk::Result::unsupported
                                       : one.type == 13 ? Disk::Result::failed
                                                        : Disk::Result::ok);
        owner.all.clear();
    }
}

TEST_F(Requests, AreRefusedWhereThereIsNoRoom) {
    std::uint8_t& byte = low.make<std::uint8_t>();
    const std::vector<Segment> many(BlockRequests::most_parts + 1, Segment{&byte, 1, true});
    EXPECT_EQ(requests.begin({Disk::Action::read, 0, 512, many, 0}, owner), Disk::Result::failed);
    const Disk::Request flush{Disk::Action::flush, 0, 0, {}, 5};
    for (std::uint32_t n = 0; n < BlockRequests::most; ++n) ASSERT_EQ(requests.begin(flush, owner), Disk::Result::later);
    EXPECT_EQ(requests.begin(flush, owner), Disk::Result::full);
    (void)requests.queue().publish();
    const Seen seen = see();
    *seen.status = 0;
    device().finish(seen.head, 1);
    requests.finish();
    ASSERT_EQ(owner.all.size(), 1u);
    EXPECT_EQ(requests.begin(flush, owner), Disk::Result::later);
    owner.all.clear();
    requests.fail();
    EXPECT_EQ(owner.all.size(), BlockRequests::most) << "all that are under way";
    EXPECT_EQ(owner.all[0].second, Disk::Result::failed);
    requests.fail();
    EXPECT_EQ(owner.all.size(), BlockRequests::most);
}

}  // namespace
}  // namespace partita::virtio
