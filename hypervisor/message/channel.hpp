// Channels: ways for messages between partitions, copied by the hypervisor. Sender and receiver share no memory, and neither can keep the
// other waiting: each call is bounded, whatever the other end does at the same time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "machine/timer.hpp"
#include "message/port_lines.hpp"
#include "partita/system_image.h"

namespace partita {

struct Channel;
struct Partition;
struct Vcpu;

// An end of a channel.
struct Port {
    const partita_port* description = nullptr;
    Channel* channel = nullptr;
    Partition* partition = nullptr;                   // whose end it is,
    Partition* user = nullptr;                        // and who sends and receives by it: the same, or its server
    std::atomic<bool> busy{false};                    // one of its user's vCPUs is sending or receiving by it
    std::atomic<bool> changed{false};                 // a life of another end began or ended, and the partition does not know yet
    std::atomic<bool> wants_room{false};              // it was told that the queue is full
    timer::Ticks rang = 0;                            // with an interval: when it rang the other end last; 0: never
    std::atomic<std::uint32_t> rings{0};              // ... and how often the other rang it since it asked
    std::atomic<std::uint32_t> sent{0}, received{0};  // messages and rings, since boot; one of two rings at once may be left out
    PortLines lines;                                  // of its partition's PL061

    [[nodiscard]] bool sends() const { return (description->flags & PARTITA_PORT_SENDS) != 0; }
};

// A message in the pool; its bytes follow.
struct alignas(8) Message {
    std::atomic<std::uint32_t> readers{0};  // CPUs that copy from it (sampling)
    std::uint32_t size = 0;
    timer::Ticks sent = 0;

    [[nodiscard]] std::byte* bytes() { return reinterpret_cast<std::byte*>(this + 1); }
};
static_assert(sizeof(Message) == PARTITA_MESSAGE_HEADER);

struct Channel {
    static constexpr std::uint32_t none = ~0u;

    const partita_channel* description = nullptr;
    std::byte* storage = nullptr;
    std::uint32_t messages = 0, stride = 0;  // so many places for them, of so many bytes
    timer::Ticks time = 0;                   // partita_channel::time_us
    // Queuing. Counted from 0 to twice the depth, so that full and empty differ; only the sender changes head, only the receiver tail.
    std::atomic<std::uint32_t> head{0}, tail{0};
    std::atomic<std::uint32_t> latest{none};  // sampling: the place of the value
    std::atomic<bool> stale{false};           // ... was written in another life of its sender
    Port* sender = nullptr;
    std::array<Port*, PARTITA_MAX_PARTITIONS - 1> receivers{};
    std::uint32_t receiver_count = 0;

    // Whether it carries interrupts alone.
    [[nodiscard]] bool rings() const {
        return description->kind == PARTITA_CHANNEL_DOORBELL || description->kind == PARTITA_CHANNEL_MEMORY;
    }
    [[nodiscard]] Message& place(std::uint32_t n) { return *reinterpret_cast<Message*>(storage + std::size_t{n} * stride); }
    [[nodiscard]] std::uint32_t waiting() const {
        const std::uint32_t last = head.load(std::memory_order_acquire), first = tail.load(std::memory_order_acquire);
        return last >= first ? last - first : last - first + 2 * messages;
    }
};

// Functions of abi/partita/hypercall.h: arguments and results are in the vCPU's registers.
void set_message_page(Vcpu& vcpu);
void send_message(Vcpu& vcpu);
void receive_message(Vcpu& vcpu);
void tell_port(Vcpu& vcpu);

// Outputs of the partition's PL061 have risen: a bit for each line.
void ring_lines(Partition& partition, std::uint32_t lines);

// A life of the partition has ended, or begins to run: its values are no longer valid, and the other ends are told.
void leave_channels(Partition& partition);
void enter_channels(Partition& partition);
// It begins another life: what waits for it in queues was sent to an earlier one.
void empty_queues(Partition& partition);

}  // namespace partita
