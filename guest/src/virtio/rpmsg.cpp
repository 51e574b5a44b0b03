#include "partita/guest/virtio/rpmsg.hpp"

#include <algorithm>
#include <cstring>

#include "partita/guest/virtio/chain.hpp"

namespace partita::virtio {

using std::uint16_t;
using std::uint32_t;
using std::uint8_t;

namespace {

constexpr uint32_t to_driver = 0, from_driver = 1;

template <typename Value>
[[nodiscard]] std::span<const uint8_t> bytes_of(const Value &value) {
    return {reinterpret_cast<const uint8_t *>(&value), sizeof value};
}

}  // namespace

// What it was notified of before it was ready is looked at then.
void Rpmsg::write(uint32_t offset, uint32_t size, uint32_t value) {
    const bool ran = transport_.runs();
    transport_.write(offset, size, value);
    if (!ran && transport_.runs()) notified(~0u);
}

void Rpmsg::resume() {
    if (!transport_.runs()) return;
    transport_.queue(to_driver).resume();
    transport_.queue(from_driver).resume();
    notified(~0u);
}

void Rpmsg::notified(uint32_t queues) {
    turn_.begin();
    if (!transport_.runs()) return;
    if ((queues >> to_driver & 1u) != 0)
        for (uint32_t port = 0; port < ports_.size(); ++port) give_messages(port);
    if ((queues >> from_driver & 1u) != 0) take_messages();
    conclude();
}

void Rpmsg::port_changed(uint32_t port) {
    if (!transport_.runs() || port >= ports_.size()) return;
    turn_.begin();
    if (ports_[port].sends)
        take_messages();
    else
        give_messages(port);
    conclude();
}

void Rpmsg::give_messages(uint32_t port) {
    const uint32_t to = state_.endpoints[port];
    if (ports_[port].sends || to == 0) return;
    Queue queue = transport_.queue(to_driver);
    while (const auto head = turn_.next(queue)) {
        // Before the message is taken: it cannot be put back.
        if (const uint32_t most = sizeof(Header) + ports_[port].message_size; room_in(queue, *head, most) < most)
            return queue.breaks(Broken::too_small);
        const auto size = link_.receive(port);
        if (!size) return;
        const Header header{first_address + port, to, 0, static_cast<uint16_t>(*size), 0};
        queue.take(*head);
        scatter(queue, *head, 0, bytes_of(header));
        scatter(queue, *head, sizeof header, link_.page().first(*size));
        queue.finish(*head, static_cast<uint32_t>(sizeof header) + *size);
    }
}

void Rpmsg::take_messages() {
    Queue queue = transport_.queue(from_driver);
    while (const auto head = turn_.next(queue)) {
        std::array<uint8_t, sizeof(Header)> bytes{};
        const auto size = gather(queue, *head, 0, bytes);
        if (!size) return;
        Header header{};
        std::memcpy(&header, bytes.data(), sizeof header);
        // What has no header, or less than that says, is of nobody.
        if (*size >= sizeof header && header.size <= *size - sizeof header && !take(queue, *head, header)) return;
        queue.take(*head);
        queue.finish(*head, 0);
    }
}

// False: it stays the driver's, since there is no room for it now, or the queue is broken. To a port whose other end is gone, nobody would
// take it.
bool Rpmsg::take(Queue &queue, uint16_t head, const Header &header) {
    const uint32_t port = header.destination - first_address;
    if (port >= ports_.size()) return true;
    if (state_.endpoints[port] != header.source) {
        store<uint32_t>(&state_.endpoints[port], header.source);
        give_messages(port);
    }
    if (!ports_[port].sends || header.size == 0) return true;
    if (header.size > ports_[port].message_size) {
        link_.too_long(port);
        return true;
    }
    if (!gather(queue, head, sizeof header, link_.page().first(header.size))) return false;
    return link_.send(port, header.size) != PortLink::Sent::full || !link_.connected(port);
}

void Rpmsg::conclude() {
    const auto broken = [this](uint32_t queue, Broken why) { link_.broken(queue, why); };
    if (const uint32_t bits = transport_.conclude(broken); bits != 0) link_.interrupt(bits);
}

}  // namespace partita::virtio
