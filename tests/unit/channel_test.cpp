// Channels: whole messages in order, whatever the other end does, and a defined state after each life.
#include "message/channel.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <numeric>
#include <thread>

#include "fake_system.hpp"
#include "message/hypercall.hpp"
#include "partita/hypercall.h"
#include "partition/loader.hpp"
#include "trap/device_access.hpp"
#include "random.hpp"

namespace partita {
namespace {

constexpr std::uint32_t page = 0x4001'0000, depth = 5, longest = 64, queue = 0, value = 1, bell = 2, back = 3, memory = 4;
constexpr std::uint32_t first_interrupt = 64, shared = 0x3000'0000;

// The first partition has its doorbells as lines: it rings `bell` by line 0 and `memory` by line 2, and is told by line 1.
const tool::PartitionDescription& with_gpio() {
    static const tool::PartitionDescription description = [] {
        tool::PartitionDescription out;
        out.gpio.value = true;
        return out;
    }();
    return description;
}

void add_channels(tool::Plan& plan) {
    plan.partitions[0].description = &with_gpio();
    plan.partitions.push_back(FakeSystem::partition("c", {0}, 0x4300'0000));
    plan.slices[0] = 5'000'000;
    plan.channels = {{"queue", PARTITA_CHANNEL_QUEUING, longest, depth, 0, false, 0, {1}},
                     {"value", PARTITA_CHANNEL_SAMPLING, longest, 0, 1000, true, 0, {1, 2}},
                     {"bell", PARTITA_CHANNEL_DOORBELL, 0, 0, 100, false, 0, {1}},
                     {"back", PARTITA_CHANNEL_QUEUING, PARTITA_LONGEST_MESSAGE, 1, 0, false, 1, {0}},
                     {"memory", PARTITA_CHANNEL_MEMORY, 0, 0, 100, false, 0, {1}}};
    for (std::uint32_t n = 0; n < 5; ++n) {
        const std::uint32_t a_sends = n != back ? PARTITA_PORT_SENDS : 0;
        plan.partitions[0].ports.push_back({n, 0, a_sends, first_interrupt + n});
        plan.partitions[1].ports.push_back(
            {n, 1, (a_sends ^ PARTITA_PORT_SENDS) | (n == value ? PARTITA_PORT_TOLD : 0), first_interrupt + n});
    }
    plan.partitions[2].ports.push_back({value, 2, 0, first_interrupt});
    for (std::uint32_t n = 0; n < 2; ++n)
        plan.partitions[n].regions.push_back({"channel memory", shared, 0x4700'0000, 0x2000,
                                              PARTITA_REGION_READ | PARTITA_REGION_CHANNEL | (n == 0 ? PARTITA_REGION_WRITE : 0), memory});
}

class ChannelTest : public testing::Test {
protected:
    ChannelTest() {
        for (std::uint32_t n = 0; n < 3; ++n) {
            begin_life(n);
        }
        (void)call(0, PARTITA_HYPERCALL_PORT, queue), (void)call(1, PARTITA_HYPERCALL_PORT, queue);
    }

    // Every port's interrupt of the partition is enabled.
    void forward_all(std::uint32_t n) {
        Distributor& distributor = system().partitions[n].distributor;
        fake.be_cpu(ends[n]->cpu->index);
        distributor.write_word(ends[n]->interrupts, gicd::CTLR, 1);
        distributor.write_word(ends[n]->interrupts, gicd::ISENABLER + 8, ~0u);
    }
    std::int32_t call(std::uint32_t partition, std::uint32_t function, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0) {
        Vcpu& vcpu = *ends[partition];
        fake.be_cpu(vcpu.cpu->index);
        vcpu.r[0] = function, vcpu.r[1] = a, vcpu.r[2] = b, vcpu.r[3] = c;
        hypercall(vcpu);
        return static_cast<std::int32_t>(vcpu.r[0]);
    }
    [[nodiscard]] std::byte* page_of(std::uint32_t partition) const { return fake_hardware.memory(ends[partition]->message_page); }
    std::int32_t send(std::uint32_t partition, std::uint32_t port, std::span<const std::byte> bytes, std::uint32_t offset = 0) {
        std::memcpy(page_of(partition) + offset, bytes.data(), bytes.size());
        return call(partition, PARTITA_HYPERCALL_SEND, port, offset, static_cast<std::uint32_t>(bytes.size()));
    }
    std::int32_t receive(std::uint32_t partition, std::uint32_t port) { return call(partition, PARTITA_HYPERCALL_RECEIVE, port, 0); }
    [[nodiscard]] std::vector<std::byte> received(std::uint32_t partition) const {
        return {page_of(partition), page_of(partition) + ends[partition]->r[1]};
    }
    // Whether the port's interrupt is pending; it is taken back.
    bool told(std::uint32_t partition, std::uint32_t port) {
        Distributor& distributor = system().partitions[partition].distributor;
        fake.be_cpu(ends[partition]->cpu->index);
        (void)run_next(*ends[partition]->cpu);
        const bool pending = (distributor.read_word(ends[partition]->interrupts, gicd::ISPENDR + 8) >> port & 1u) != 0;
        distributor.write_word(ends[partition]->interrupts, gicd::ICPENDR + 8, 1u << port);
        return pending;
    }
    void forget_all() {
        for (std::uint32_t n = 0; n < 3; ++n)
            for (std::uint32_t port = 0; port <= memory; ++port) (void)told(n, port);
    }
    // The partition ends, and begins another life: each CPU does what was posted to it.
    void restart(std::uint32_t n) {
        const std::uint32_t lives = system().partitions[n].starts;
        end(system().partitions[n], Ending::restart, PARTITA_RESET_GUEST);
        for (int turns = 0; turns < 5000 && system().partitions[n].starts == lives; ++turns) run_cpus();
        run_cpus();
        EXPECT_EQ(system().partitions[n].phase.load(), Phase::running);
        prepare(n);
    }
    void run_cpus() {
        for (std::uint32_t cpu = 0; cpu < 2; ++cpu) {
            fake.be_cpu(cpu);
            FakeSystem::end_turns(system().cpus[cpu]);
            try {
                (void)run_next(system().cpus[cpu]);
            } catch (const Idle&) {
            }
        }
    }
    void begin_life(std::uint32_t n) {
        ends[n] = &fake.vcpu(n, 0);
        fake.be_cpu(ends[n]->cpu->index);
        begin(system().partitions[n]);
        enter(system().partitions[n]);
        enter_channels(system().partitions[n]);
        prepare(n);
    }
    void prepare(std::uint32_t n) {
        EXPECT_EQ(ends[n]->message_page, 0u) << "a new life has no page";
        EXPECT_EQ(call(n, PARTITA_HYPERCALL_MESSAGE_PAGE, page), 0);
        forward_all(n);
    }
    [[nodiscard]] static std::vector<std::byte> any(Random& random, std::uint32_t size) {
        std::vector<std::byte> out(size);
        for (std::byte& byte : out) byte = static_cast<std::byte>(random());
        return out;
    }

    FakeSystem fake{4, add_channels};
    std::array<Vcpu*, 3> ends{};
};

TEST_F(ChannelTest, AQueueKeepsEveryMessageWholeAndInOrder) {
    Random random{1};
    std::deque<std::vector<std::byte>> truth;
    for (int n = 0; n < 20'000; ++n) {
        if (random() % 2 == 0) {
            const auto bytes = any(random, 1 + random() % longest);
            const std::uint32_t offset = random() % 128 * 4;
            const std::int32_t result = send(0, queue, bytes, offset);
            ASSERT_EQ(result, truth.size() < depth ? 0 : PARTITA_FULL);
            if (result == 0) truth.push_back(bytes);
            if (result == 0) ASSERT_EQ(ends[0]->r[1], depth - truth.size());
        } else {
            const std::int32_t result = receive(1, queue);
            ASSERT_EQ(result, truth.empty() ? PARTITA_EMPTY : 0);
            if (result != 0) continue;
            ASSERT_EQ(received(1), truth.front());
            truth.pop_front();
            ASSERT_EQ(ends[1]->r[2], truth.size());
        }
    }
}

TEST_F(ChannelTest, AMessageArrivesAsAnInterruptAndRoomAsAnother) {
    forget_all();
    const std::vector<std::byte> bytes(8);
    for (std::uint32_t n = 0; n < depth; ++n) ASSERT_EQ(send(0, queue, bytes), 0);
    EXPECT_TRUE(told(1, queue));
    EXPECT_FALSE(told(1, queue)) << "five messages are one interrupt";
    ASSERT_EQ(receive(1, queue), 0);
    EXPECT_FALSE(told(0, queue)) << "nobody waits for room";
    ASSERT_EQ(send(0, queue, bytes), 0);
    ASSERT_EQ(send(0, queue, bytes), PARTITA_FULL);
    ASSERT_EQ(receive(1, queue), 0);
    EXPECT_TRUE(told(0, queue)) << "there is room now";
    ASSERT_EQ(receive(1, queue), 0);
    EXPECT_FALSE(told(0, queue)) << "... which is told once";
}

TEST_F(ChannelTest, TheLongestMessageFillsThePage) {
    Random random{2};
    const auto bytes = any(random, PARTITA_LONGEST_MESSAGE);
    ASSERT_EQ(send(1, back, bytes), 0);
    EXPECT_EQ(send(1, back, bytes), PARTITA_FULL);
    ASSERT_EQ(receive(0, back), 0);
    EXPECT_EQ(received(0), bytes);
}

TEST_F(ChannelTest, AValueIsTheLatestAndHasAnAge) {
    Random random{3};
    EXPECT_EQ(receive(1, value), PARTITA_EMPTY);
    std::vector<std::byte> latest;
    timer::Ticks written = 0;
    const timer::Ticks refresh = 62'500;  // 1 ms
    for (int n = 0; n < 5'000; ++n) {
        CNTPCT::write(CNTPCT::read() + random() % 40'000);
        if (random() % 3 == 0 || latest.empty()) {
            latest = any(random, 1 + random() % longest), written = CNTPCT::read();
            ASSERT_EQ(send(0, value, latest), 0);
            continue;
        }
        const std::uint32_t reader = 1 + random() % 2;
        ASSERT_EQ(receive(reader, reader == 1 ? value : 0), 0);
        ASSERT_EQ(received(reader), latest);
        ASSERT_EQ(ends[reader]->r[2], CNTPCT::read() - written);
        ASSERT_EQ(ends[reader]->r[3], CNTPCT::read() - written <= refresh ? 1u : 0u);
    }
    CNTPCT::write(CNTPCT::read() + (timer::Ticks{5} << 32));
    ASSERT_EQ(receive(1, value), 0);
    EXPECT_EQ(ends[1]->r[2], ~0u) << "an age that has no room";
    EXPECT_EQ(ends[1]->r[3], 0u);
    forget_all();
    ASSERT_EQ(send(0, value, latest), 0);
    EXPECT_TRUE(told(1, value)) << "who is to be told";
    EXPECT_FALSE(told(2, 0)) << "who is not";
}

// A reader on another CPU is in the middle of its copy, for as long as it likes.
TEST_F(ChannelTest, AValueThatIsBeingReadIsNotWrittenOver) {
    Random random{4};
    const auto first = any(random, longest);
    ASSERT_EQ(send(0, value, first), 0);
    Channel& channel = system().channels[value];
    Message& read = channel.place(channel.latest.load());
    read.readers.store(1);
    for (int n = 0; n < 10; ++n) {
        const auto next = any(random, longest);
        ASSERT_EQ(send(0, value, next), 0);
        ASSERT_TRUE(std::equal(first.begin(), first.end(), read.bytes()));
        ASSERT_EQ(receive(1, value), 0);
        ASSERT_EQ(received(1), next);
    }
    EXPECT_EQ(channel.messages, system().cpu_count + 1);
    for (std::uint32_t n = 0; n < channel.messages; ++n) channel.place(n).readers.store(n == channel.latest.load() ? 0 : 1);
    EXPECT_EQ(send(0, value, first), PARTITA_BUSY) << "more readers than there are CPUs";
}

TEST_F(ChannelTest, ADoorbellRingsAndIsCounted) {
    forget_all();
    const auto ring = [&] { return call(0, PARTITA_HYPERCALL_SEND, bell); };
    EXPECT_EQ(ring(), 0);
    EXPECT_TRUE(told(1, bell));
    EXPECT_EQ(ring(), PARTITA_TOO_SOON);
    EXPECT_FALSE(told(1, bell));
    CNTPCT::write(CNTPCT::read() + 6'250);
    EXPECT_EQ(ring(), 0);
    EXPECT_EQ(call(1, PARTITA_HYPERCALL_PORT, bell), 0);
    EXPECT_EQ(ends[1]->r[3], 2u);
    EXPECT_EQ(call(1, PARTITA_HYPERCALL_PORT, bell), 0);
    EXPECT_EQ(ends[1]->r[3], 0u);
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, bell, 4), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, bell, 0, 4), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(receive(1, bell), PSCI_DENIED) << "there is nothing to receive";
}

TEST_F(ChannelTest, EitherEndOfMemoryRingsTheOther) {
    for (const std::uint32_t by : {0u, 1u}) {
        const std::uint32_t other = 1 - by;
        forget_all();
        EXPECT_EQ(call(by, PARTITA_HYPERCALL_SEND, memory), 0);
        EXPECT_TRUE(told(other, memory));
        EXPECT_FALSE(told(by, memory));
        EXPECT_EQ(call(by, PARTITA_HYPERCALL_SEND, memory), PARTITA_TOO_SOON);
        EXPECT_EQ(call(other, PARTITA_HYPERCALL_PORT, memory), 0);
        EXPECT_EQ(ends[other]->r[3], 1u);
        EXPECT_EQ(call(by, PARTITA_HYPERCALL_PORT, memory), 0);
        EXPECT_EQ(ends[by]->r[3], 0u) << "its own rings are the other's";
        EXPECT_EQ(receive(by, memory), PSCI_DENIED);
        EXPECT_EQ(call(by, PARTITA_HYPERCALL_SEND, memory, 0, 4), PSCI_INVALID_PARAMETERS);
    }
}

TEST_F(ChannelTest, LinesRingAndAreRung) {
    Vcpu& by = *ends[0];
    const auto write = [&](std::uint32_t offset, std::uint32_t written) {
        fake.be_cpu(by.cpu->index);
        write_device(by, PARTITA_DEVICE_PL061, offset, 1, written);
    };
    constexpr std::uint32_t direction = 0x400, raised = 0x414, clear = 0x41c;
    forget_all();
    write(direction, 5);
    write(1 << 2, 1);
    EXPECT_TRUE(told(1, bell));
    EXPECT_FALSE(told(1, memory));
    write(1 << 2, 0);
    write(1 << 2, 1);
    EXPECT_FALSE(told(1, bell)) << "too soon";
    write(4 << 2, 4);
    EXPECT_TRUE(told(1, memory));
    write(clear, 0xff);
    EXPECT_EQ(call(1, PARTITA_HYPERCALL_SEND, memory), 0);
    EXPECT_EQ(read_device(by, PARTITA_DEVICE_PL061, raised, 1), 2u);
    EXPECT_TRUE(told(0, memory)) << "and by its interrupt, as without lines";
    CNTPCT::write(CNTPCT::read() + 6'250);
    system().partitions[0].ports[bell].busy.store(true);
    write(1 << 2, 0);
    write(1 << 2, 1);
    EXPECT_FALSE(told(1, bell)) << "another virtual CPU rings: with an interval, this is too soon";
    system().partitions[0].ports[bell].busy.store(false);
}

// The hypervisor writes messages through a cache that the memory's ends may not have; and nobody's message is to change on its way.
TEST_F(ChannelTest, MemoryOfAChannelIsNoMessagePage) {
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_MESSAGE_PAGE, shared), PSCI_INVALID_ADDRESS);
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_MESSAGE_PAGE, page), 0);
}

// A life that begins finds what the other wrote: it is not the partition's own memory.
TEST_F(ChannelTest, AnotherLifeLeavesTheMemoryAsItIs) {
    fake_hardware.memory(0x4700'0000)[5] = std::byte{0x5a};
    fake_hardware.memory(0x4100'0000)[5] = std::byte{0x5a};
    Partition& partition = system().partitions[0];
    fake.be_cpu(ends[0]->cpu->index);
    partition.cursor = {};
    while (!load_step(partition)) {
    }
    EXPECT_EQ(fake_hardware.memory(0x4700'0000)[5], std::byte{0x5a});
    EXPECT_EQ(fake_hardware.memory(0x4100'0000)[5], std::byte{0}) << "its own";
}

TEST_F(ChannelTest, WhatCannotBeIsRefusedAndChangesNothing) {
    const std::vector<std::byte> bytes(longest + 1);
    EXPECT_EQ(send(0, queue, bytes), PSCI_INVALID_PARAMETERS) << "too long";
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, queue, 0, 0), PSCI_INVALID_PARAMETERS) << "nothing";
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, queue, 2, 4), PSCI_INVALID_PARAMETERS) << "not aligned";
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, queue, kPageSize, 4), PSCI_INVALID_PARAMETERS) << "behind the page";
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, queue, kPageSize - 8, 12), PSCI_INVALID_PARAMETERS) << "half behind the page";
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, queue, 0xffff'fffc, 8), PSCI_INVALID_PARAMETERS) << "around the end of addresses";
    EXPECT_EQ(call(1, PARTITA_HYPERCALL_RECEIVE, queue, kPageSize - longest + 4), PSCI_INVALID_PARAMETERS) << "no room for the longest";
    EXPECT_EQ(call(1, PARTITA_HYPERCALL_SEND, queue, 0, 4), PSCI_DENIED);
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_RECEIVE, queue), PSCI_DENIED);
    for (const std::uint32_t port : {5u, 99u, ~0u}) {
        EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, port, 0, 4), PSCI_INVALID_PARAMETERS);
        EXPECT_EQ(call(0, PARTITA_HYPERCALL_RECEIVE, port), PSCI_INVALID_PARAMETERS);
        EXPECT_EQ(call(0, PARTITA_HYPERCALL_PORT, port), PSCI_INVALID_PARAMETERS);
    }
    EXPECT_EQ(call(2, PARTITA_HYPERCALL_RECEIVE, 1), PSCI_INVALID_PARAMETERS) << "it has one end only, though others have more";
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_PORT, queue), 0);
    EXPECT_EQ(ends[0]->r[3], depth) << "the queue is empty";
    system().partitions[0].ports[queue].busy.store(true);
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, queue, 0, 4), PARTITA_BUSY) << "another vCPU is sending";
    system().partitions[0].ports[queue].busy.store(false);
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, queue, 0, 4), 0);
}

TEST_F(ChannelTest, AMessagePageIsMemoryOfThePartition) {
    for (const std::uint32_t ipa : {0u, page + 4, 0x4020'0000u, 0x0801'0000u, 0x0900'0000u, 0xffff'f000u})
        EXPECT_EQ(call(0, PARTITA_HYPERCALL_MESSAGE_PAGE, ipa), PSCI_INVALID_ADDRESS) << std::hex << ipa;
    EXPECT_EQ(ends[0]->message_page, 0x4101'0000u) << "a refusal changes nothing";
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_MESSAGE_PAGE, 0x401f'f000), 0);
    EXPECT_EQ(ends[0]->message_page, 0x411f'f000u);
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_MESSAGE_PAGE, ~0u), 0);
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, queue, 0, 4), PARTITA_NO_MESSAGE_PAGE);
}

TEST_F(ChannelTest, ANewLifeOfTheReceiverFindsAnEmptyQueue) {
    const std::vector<std::byte> bytes(8);
    for (std::uint32_t n = 0; n < depth; ++n) ASSERT_EQ(send(0, queue, bytes), 0);
    ASSERT_EQ(send(0, queue, bytes), PARTITA_FULL);
    forget_all();
    const std::uint32_t life = system().partitions[1].starts;
    restart(1);
    EXPECT_TRUE(told(0, queue));
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_PORT, queue), 0);
    EXPECT_EQ(ends[0]->r[1], PARTITA_PORT_CHANGED | PARTITA_PORT_PEERS_RUN);
    EXPECT_EQ(ends[0]->r[2], life + 1);
    EXPECT_EQ(ends[0]->r[3], depth);
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_PORT, queue), 0);
    EXPECT_EQ(ends[0]->r[1], PARTITA_PORT_PEERS_RUN) << "a change is told once";
    EXPECT_EQ(receive(1, queue), PARTITA_EMPTY);
}

TEST_F(ChannelTest, ANewLifeOfTheSenderMakesItsValueInvalidAndKeepsItsMessages) {
    const std::vector<std::byte> bytes(8, std::byte{7});
    ASSERT_EQ(send(0, queue, bytes), 0);
    ASSERT_EQ(send(0, value, bytes), 0);
    ASSERT_EQ(receive(1, value), 0);
    EXPECT_EQ(ends[1]->r[3], 1u);
    restart(0);
    ASSERT_EQ(receive(1, value), 0);
    EXPECT_EQ(ends[1]->r[3], 0u) << "it is of another life";
    EXPECT_EQ(received(1), bytes);
    ASSERT_EQ(send(0, value, bytes), 0);
    ASSERT_EQ(receive(1, value), 0);
    EXPECT_EQ(ends[1]->r[3], 1u);
    ASSERT_EQ(receive(1, queue), 0);
    EXPECT_EQ(received(1), bytes);
}

TEST_F(ChannelTest, AnEndThatIsOffIsNotInterruptedAndTheOtherKnows) {
    forget_all();
    leave_channels(system().partitions[1]);
    system().partitions[1].phase.store(Phase::off);
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_PORT, value), 0);
    EXPECT_EQ(ends[0]->r[1], PARTITA_PORT_CHANGED) << "one of two readers does not run";
    EXPECT_EQ(ends[0]->r[2], 0u) << "there are several";
    const std::vector<std::byte> bytes(8);
    EXPECT_EQ(send(0, queue, bytes), 0) << "it is kept until the next life begins";
    EXPECT_EQ(call(0, PARTITA_HYPERCALL_SEND, bell), 0);
    EXPECT_FALSE(told(1, queue) || told(1, bell)) << "its distributor is not touched";
}

// Each message is a row of numbers from its first on: a torn one is not.
void write_row(std::byte* at, std::uint32_t first) {
    std::array<std::uint32_t, longest / 4> row;
    std::iota(row.begin(), row.end(), first);
    std::memcpy(at, row.data(), sizeof row);
}
std::uint32_t read_row(const std::byte* at) {
    std::array<std::uint32_t, longest / 4> row;
    std::memcpy(row.data(), at, sizeof row);
    for (std::uint32_t n = 0; n < row.size(); ++n) EXPECT_EQ(row[n], row[0] + n) << "torn";
    return row[0];
}

// Both ends at once, on threads of the host: nothing is torn, lost or taken twice. Nobody is interrupted, since the phases say so.
TEST_F(ChannelTest, BothEndsAtOnceSeeWholeMessages) {
    for (std::uint32_t n = 0; n < 3; ++n) system().partitions[n].phase.store(Phase::loading);
    constexpr std::uint32_t messages = 100'000;
    const auto use = [](Vcpu& vcpu, std::uint32_t port, std::uint32_t size, void (*function)(Vcpu&)) {
        vcpu.r[1] = port, vcpu.r[2] = 0, vcpu.r[3] = size;
        function(vcpu);
        return static_cast<std::int32_t>(vcpu.r[0]);
    };
    std::byte* const pages[] = {page_of(0), page_of(1), page_of(2)};
    std::thread sender{[&] {
        for (std::uint32_t n = 0; n < messages; ++n) {
            write_row(pages[0], n);
            while (use(*ends[0], queue, longest, send_message) == PARTITA_FULL) std::this_thread::yield();
            EXPECT_EQ(use(*ends[0], value, longest, send_message), 0);
        }
    }};
    std::thread sampler{[&] {
        std::uint32_t last = 0;
        while (last + 1 < messages) {
            const std::int32_t result = use(*ends[2], 0, 0, receive_message);
            if (result == PARTITA_EMPTY || result == PARTITA_BUSY) continue;
            const std::uint32_t now = read_row(pages[2]);
            EXPECT_GE(now, last) << "an older value";
            last = now;
        }
    }};
    for (std::uint32_t n = 0; n < messages;) {
        if (use(*ends[1], queue, 0, receive_message) != 0) {
            std::this_thread::yield();
            continue;
        }
        ASSERT_EQ(read_row(pages[1]), n++);
    }
    sender.join();
    sampler.join();
}

}  // namespace
}  // namespace partita
