#include "message/channel.hpp"

#include <cstring>

#include "arch/address.hpp"
#include "barrier.hpp"
#include "machine/window.hpp"
#include "message/message_page.hpp"
#include "partita/hypercall.h"
#include "partition/system.hpp"

namespace partita {

using std::uint32_t;

namespace {

constexpr std::int32_t success = PSCI_SUCCESS;

[[nodiscard]] Port* port_of(const Vcpu& vcpu) {
    const std::span<Port> ports = vcpu.partition->ports;
    return vcpu.r[1] < ports.size() ? &ports[vcpu.r[1]] : nullptr;
}

[[nodiscard]] bool runs(const Port& port) { return lives(port.partition->phase.load(std::memory_order_acquire)); }

void interrupt(const Port& port) {
    Partition& user = *port.user;
    if (!lives(user.phase.load(std::memory_order_acquire))) return;
    user.distributor.pulse(port.description->interrupt);
    if (port.lines.told != PortLines::none) user.gpio.pulse(port.lines.told);
}

// The partition's ends, whoever uses them.
template <typename Act>
void for_each_end(const Partition& partition, Act&& act) {
    for (Port& port : std::span{system().ports}.first(system().port_count))
        if (port.partition == &partition) act(port);
}

// While it lives, no other vCPU of the partition uses the port. It is not waited for: that would be in Hyp, for as long as a guest likes.
class Use {
public:
    explicit Use(Port& port) : port_(port), mine_(!port.busy.exchange(true, std::memory_order_acquire)) {}
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
        if (mine_) port_.busy.store(false, std::memory_order_release);
    }
    [[nodiscard]] bool mine() const { return mine_; }

private:
    Port& port_;
    bool mine_;
};

void copy_from_page(const Vcpu& vcpu, uint32_t offset, Message& message, uint32_t size) {
    const uint32_t cpu = vcpu.cpu->index;
    std::memcpy(message.bytes(), window::open(cpu, window::Slot::source, PhysAddr{vcpu.message_page + offset}), size);
    window::close(cpu, window::Slot::source);
    message.size = size;
}

void copy_to_page(const Vcpu& vcpu, uint32_t offset, Message& message) {
    const uint32_t cpu = vcpu.cpu->index;
    std::memcpy(window::open(cpu, window::Slot::target, PhysAddr{vcpu.message_page + offset}), message.bytes(), message.size);
    window::close(cpu, window::Slot::target);
}

// Counters of a queue go round after twice its depth.
[[nodiscard]] uint32_t place_of(const Channel& channel, uint32_t counter) {
    return counter >= channel.messages ? counter - channel.messages : counter;
}
[[nodiscard]] uint32_t after(const Channel& channel, uint32_t counter) { return counter + 1 == 2 * channel.messages ? 0 : counter + 1; }

// A sender that is told "full" gets an interrupt once there is room. Either it sees the room here, or the receiver its wish.
[[nodiscard]] bool has_room(Port& port, const Channel& channel) {
    if (channel.waiting() < channel.messages) return true;
    port.wants_room.store(true, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (channel.waiting() == channel.messages) return false;
    port.wants_room.store(false, std::memory_order_relaxed);
    return true;
}

void take_until(Channel& channel, uint32_t counter) {
    channel.tail.store(counter, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    Port& sender = *channel.sender;
    if (sender.wants_room.load(std::memory_order_relaxed) && sender.wants_room.exchange(false, std::memory_order_relaxed))
        interrupt(sender);
}

// While the port is in use by this CPU alone.
void count(std::atomic<uint32_t>& sum) { sum.store(sum.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

[[nodiscard]] std::int32_t send_to_queue(Vcpu& vcpu, Port& port, Channel& channel) {
    if (!has_room(port, channel)) return PARTITA_FULL;
    const uint32_t head = channel.head.load(std::memory_order_relaxed);
    copy_from_page(vcpu, vcpu.r[2], channel.place(place_of(channel, head)), vcpu.r[3]);
    channel.head.store(after(channel, head), std::memory_order_release);
    count(port.sent);
    interrupt(*channel.receivers[0]);
    vcpu.r[1] = channel.messages - channel.waiting();
    return success;
}

[[nodiscard]] std::int32_t receive_from_queue(Vcpu& vcpu, Port& port, Channel& channel) {
    const uint32_t tail = channel.tail.load(std::memory_order_relaxed);
    if (channel.head.load(std::memory_order_acquire) == tail) return PARTITA_EMPTY;
    Message& message = channel.place(place_of(channel, tail));
    copy_to_page(vcpu, vcpu.r[2], message);
    vcpu.r[1] = message.size;
    count(port.received);
    take_until(channel, after(channel, tail));
    vcpu.r[2] = channel.waiting(), vcpu.r[3] = 0;
    return success;
}

// Into a place that is not the latest and that nobody reads: there are two more places than CPUs that can be reading meanwhile. What a
// reader does first (it counts itself, then looks whether the place is still the latest) and what is done here need one order for all.
[[nodiscard]] std::int32_t write_value(Vcpu& vcpu, Port& port, Channel& channel) {
    const uint32_t latest = channel.latest.load(std::memory_order_relaxed);
    uint32_t n = 0;
    while (n < channel.messages && (n == latest || channel.place(n).readers.load(std::memory_order_seq_cst) != 0)) ++n;
    if (n == channel.messages) return PARTITA_BUSY;
    Message& message = channel.place(n);
    copy_from_page(vcpu, vcpu.r[2], message, vcpu.r[3]);
    message.sent = timer::now();
    channel.latest.store(n, std::memory_order_seq_cst);
    count(port.sent);
    channel.stale.store(false, std::memory_order_release);
    for (uint32_t to = 0; to < channel.receiver_count; ++to)
        if ((channel.receivers[to]->description->flags & PARTITA_PORT_TOLD) != 0) interrupt(*channel.receivers[to]);
    return success;
}

void tell_age(Vcpu& vcpu, const Channel& channel, const Message& message) {
    const timer::Ticks age = timer::now() - message.sent;
    vcpu.r[1] = message.size;
    vcpu.r[2] = age > ~0u ? ~0u : static_cast<uint32_t>(age);
    vcpu.r[3] = !channel.stale.load(std::memory_order_acquire) && (channel.time == 0 || age <= channel.time) ? 1 : 0;
}

[[nodiscard]] std::int32_t read_value(Vcpu& vcpu, Port& port, Channel& channel) {
    constexpr unsigned most = 8;  // each further one means that the sender has written a whole message in between
    for (unsigned n = 0; n < most; ++n) {
        const uint32_t latest = channel.latest.load(std::memory_order_seq_cst);
        if (latest == Channel::none) return PARTITA_EMPTY;
        Message& message = channel.place(latest);
        message.readers.fetch_add(1, std::memory_order_seq_cst);
        const bool still = channel.latest.load(std::memory_order_seq_cst) == latest;
        if (still) {
            copy_to_page(vcpu, vcpu.r[2], message);
            tell_age(vcpu, channel, message);
        }
        message.readers.fetch_sub(1, std::memory_order_release);
        if (!still) continue;
        count(port.received);
        return success;
    }
    return PARTITA_BUSY;
}

[[nodiscard]] std::int32_t ring(Port& port, const Channel& channel) {
    if (channel.time != 0) {
        const timer::Ticks now = timer::now();
        if (port.rang != 0 && now - port.rang < channel.time) return PARTITA_TOO_SOON;
        port.rang = now;
    }
    Port& other = port.sends() ? *channel.receivers[0] : *channel.sender;
    other.rings.fetch_add(1, std::memory_order_release);
    count(port.sent);
    interrupt(other);
    return success;
}

// A line cannot be told that another virtual CPU rings too: where there is an interval, this is too soon; where there is none, nothing that
// only one may do.
void ring_line(Port& port) {
    const Channel& channel = *port.channel;
    const Use use{port};
    if (use.mine() || channel.time == 0) (void)ring(port, channel);
}

[[nodiscard]] std::int32_t send(Vcpu& vcpu) {
    Port* const port = port_of(vcpu);
    if (port == nullptr) return PSCI_INVALID_PARAMETERS;
    Channel& channel = *port->channel;
    if (!port->sends() && channel.description->kind != PARTITA_CHANNEL_MEMORY) return PSCI_DENIED;
    const bool bell = channel.rings();
    const uint32_t size = vcpu.r[3];
    if (size > channel.description->message_size || (size == 0) != bell || (bell && vcpu.r[2] != 0)) return PSCI_INVALID_PARAMETERS;
    if (const std::int32_t good = bell ? success : check_place(vcpu, vcpu.r[2], size); good != success) return good;
    const Use use{*port};
    if (!use.mine()) return PARTITA_BUSY;
    if (bell) return ring(*port, channel);
    return channel.description->kind == PARTITA_CHANNEL_QUEUING ? send_to_queue(vcpu, *port, channel) : write_value(vcpu, *port, channel);
}

[[nodiscard]] std::int32_t receive(Vcpu& vcpu) {
    Port* const port = port_of(vcpu);
    if (port == nullptr) return PSCI_INVALID_PARAMETERS;
    Channel& channel = *port->channel;
    if (port->sends() || channel.rings()) return PSCI_DENIED;
    if (const std::int32_t good = check_place(vcpu, vcpu.r[2], channel.description->message_size); good != success) return good;
    const Use use{*port};
    if (!use.mine()) return PARTITA_BUSY;
    return channel.description->kind == PARTITA_CHANNEL_QUEUING ? receive_from_queue(vcpu, *port, channel)
                                                                : read_value(vcpu, *port, channel);
}

void tell_change(Port& port) {
    port.changed.store(true, std::memory_order_release);
    interrupt(port);
}

void tell_other_ends(const Port& port) {
    Channel& channel = *port.channel;
    if (!port.sends()) return tell_change(*channel.sender);
    for (uint32_t n = 0; n < channel.receiver_count; ++n) tell_change(*channel.receivers[n]);
}

[[nodiscard]] bool others_run(const Port& port) {
    const Channel& channel = *port.channel;
    if (!port.sends()) return runs(*channel.sender);
    for (uint32_t n = 0; n < channel.receiver_count; ++n)
        if (!runs(*channel.receivers[n])) return false;
    return true;
}

}  // namespace

void set_message_page(Vcpu& vcpu) {
    const uint32_t ipa = vcpu.r[1];
    constexpr uint32_t both = PARTITA_REGION_READ | PARTITA_REGION_WRITE;
    constexpr uint32_t others = PARTITA_REGION_DEVICE | PARTITA_REGION_CHANNEL | PARTITA_REGION_SERVED;
    if (ipa == ~0u) {
        vcpu.message_page = 0;
        return answer(vcpu, success);
    }
    for (const partita_region& region : vcpu.partition->regions) {
        const bool memory = (region.flags & both) == both && (region.flags & others) == 0;
        if (ipa % kPageSize != 0 || !memory || !IpaRange{Ipa{region.ipa}, region.size}.contains(Ipa{ipa})) continue;
        vcpu.message_page = region.pa + (ipa - region.ipa);
        return answer(vcpu, success);
    }
    answer(vcpu, PSCI_INVALID_ADDRESS);
}

void send_message(Vcpu& vcpu) { answer(vcpu, send(vcpu)); }
void receive_message(Vcpu& vcpu) { answer(vcpu, receive(vcpu)); }

void tell_port(Vcpu& vcpu) {
    Port* const port = port_of(vcpu);
    if (port == nullptr) return answer(vcpu, PSCI_INVALID_PARAMETERS);
    Channel& channel = *port->channel;
    const bool changed = port->changed.exchange(false, std::memory_order_acquire);
    const Partition& other = *(port->sends() ? channel.receivers[0] : channel.sender)->partition;
    const bool several = port->sends() && channel.description->kind == PARTITA_CHANNEL_SAMPLING;
    vcpu.r[1] = (changed ? PARTITA_PORT_CHANGED : 0) | (others_run(*port) ? PARTITA_PORT_PEERS_RUN : 0);
    vcpu.r[2] = several ? 0 : other.starts.load(std::memory_order_relaxed);
    vcpu.r[3] = 0;
    if (channel.description->kind == PARTITA_CHANNEL_QUEUING)
        vcpu.r[3] = port->sends() ? channel.messages - channel.waiting() : channel.waiting();
    if (channel.rings()) vcpu.r[3] = port->rings.exchange(0, std::memory_order_acquire);
    answer(vcpu, success);
}

void ring_lines(Partition& partition, uint32_t lines) {
    if (lines == 0) return;
    for (Port& port : partition.ports)
        if (port.lines.ring != PortLines::none && (lines >> port.lines.ring & 1u) != 0) ring_line(port);
}

void leave_channels(Partition& partition) {
    for_each_end(partition, [](Port& port) {
        if (port.sends()) port.channel->stale.store(true, std::memory_order_release);
        port.wants_room.store(false, std::memory_order_relaxed);
        tell_other_ends(port);
    });
}

void enter_channels(Partition& partition) {
    for_each_end(partition, [](Port& port) {
        port.changed.store(true, std::memory_order_relaxed);
        tell_other_ends(port);
    });
}

void empty_queues(Partition& partition) {
    for_each_end(partition, [](Port& port) {
        Channel& channel = *port.channel;
        port.rings.store(0, std::memory_order_relaxed);
        if (port.sends()) return;
        if (channel.description->kind != PARTITA_CHANNEL_QUEUING) return;
        // Its server may be taking a message just now, on another CPU in Hyp: for as long as a copy takes.
        while (port.busy.exchange(true, std::memory_order_acquire)) wait_for_other();
        take_until(channel, channel.head.load(std::memory_order_acquire));
        port.busy.store(false, std::memory_order_release);
    });
}

}  // namespace partita
