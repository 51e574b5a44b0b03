#include "partita/guest/virtio/console.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "partita/guest/virtio/chain.hpp"

namespace partita::virtio {

using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

namespace {

constexpr uint64_t feature_multiport = 1u << 1;
constexpr uint32_t control_to_driver = 2, control_from_driver = 3;

// §5.3.6.2.
enum Event : uint16_t { device_ready = 0, device_add = 1, port_ready = 3, port_open = 6, port_name = 7 };

// §5.3.2: the first port's queues come before those of control.
[[nodiscard]] constexpr uint32_t to_driver(uint32_t port) { return port == 0 ? 0 : 2 * port + 2; }
[[nodiscard]] constexpr uint32_t from_driver(uint32_t port) { return to_driver(port) + 1; }
// ... and the port that a queue is of; control's are nobody's.
[[nodiscard]] constexpr uint32_t port_of(uint32_t queue) { return queue < 2 ? 0 : (queue - 2) / 2; }

[[nodiscard]] constexpr uint32_t length(const char *text) {
    uint32_t n = 0;
    while (text[n] != 0) ++n;
    return n;
}

}  // namespace

uint64_t Console::features() const { return feature_multiport; }

// Of a value only the latest counts: there is one buffer for it, which the driver gives back when a program has read it.
uint32_t Console::entries(uint32_t queue) const {
    constexpr uint32_t control = 32, messages = 64;
    if (queue == control_to_driver || queue == control_from_driver) return control;
    const uint32_t port = port_of(queue);
    if (port >= ports_.size()) return 0;
    return queue == to_driver(port) && ports_[port].latest ? 1 : messages;
}

// cols and rows, which nobody has; max_nr_ports.
uint8_t Console::configuration(uint32_t offset) const {
    constexpr uint32_t max_ports = 4;
    return offset == max_ports ? static_cast<uint8_t>(ports_.size()) : 0;
}

void Console::reset() {
    state_.ready = state_.known = state_.opened = 0;
    state_.to_add = state_.to_name = state_.to_announce = state_.announced = 0;
}

bool Console::multiport() const { return transport_.has(feature_multiport); }

// Without the feature there is the first port alone, and nobody says that it is open.
bool Console::open(uint32_t port) const { return multiport() ? (state_.opened >> port & 1u) != 0 : port == 0; }

// What it was notified of before it was ready is looked at then.
void Console::write(uint32_t offset, uint32_t size, uint32_t value) {
    const bool ran = transport_.runs();
    transport_.write(offset, size, value);
    if (!ran && transport_.runs()) notified(~0u);
}

void Console::notified(uint32_t queues) {
    turn_.begin();
    if (!transport_.runs()) return;
    if (multiport()) {
        if ((queues >> control_from_driver & 1u) != 0) take_control();
        if ((queues >> control_to_driver & 1u) != 0) give_control();
    }
    for (uint32_t port = 0; port < ports_.size(); ++port)
        if ((queues >> to_driver(port) & 3u) != 0) work(port);
    conclude();
}

void Console::port_changed(uint32_t port) {
    if (!transport_.runs() || port >= ports_.size()) return;
    turn_.begin();
    announce(port);
    work(port);
    conclude();
}

void Console::resume() {
    if (!transport_.runs()) return;
    for (uint32_t queue = 0; queue < most_queues; ++queue)
        if (entries(queue) != 0) transport_.queue(queue).resume();
    for (uint32_t port = 0; port < ports_.size(); ++port) announce(port);
    notified(~0u);
}

void Console::work(uint32_t port) {
    if (ports_[port].sends)
        take_messages(port);
    else
        give_messages(port);
}

void Console::take_messages(uint32_t port) {
    Queue queue = transport_.queue(from_driver(port));
    const uint32_t most = ports_[port].message_size;
    while (const auto head = turn_.next(queue)) {
        const auto size = gather(queue, *head, 0, link_.page().first(most));
        if (!size) return;
        if (*size > most)
            link_.too_long(port);
        else if (*size != 0 && link_.send(port, *size) == PortLink::Sent::full)
            return;  // it stays the driver's, which waits with the next
        queue.take(*head);
        queue.finish(*head, 0);
    }
}

void Console::give_messages(uint32_t port) {
    if (!open(port)) return;
    Queue queue = transport_.queue(to_driver(port));
    const uint32_t most = ports_[port].message_size;
    while (const auto head = turn_.next(queue)) {
        // Before the message is taken: it cannot be put back.
        if (room_in(queue, *head, most) < most) return queue.breaks(Broken::too_small);
        const auto size = link_.receive(port);
        if (!size) return;
        queue.take(*head);
        scatter(queue, *head, 0, link_.page().first(*size));
        queue.finish(*head, *size);
    }
}

void Console::take_control() {
    Queue queue = transport_.queue(control_from_driver);
    while (const auto head = turn_.next(queue)) {
        queue.take(*head);
        std::array<uint8_t, sizeof(Control)> bytes{};
        const auto size = gather(queue, *head, 0, bytes);
        if (!size) return;
        Control message{};
        std::memcpy(&message, bytes.data(), sizeof message);
        if (*size >= sizeof message) obey(message);
        queue.finish(*head, 0);
    }
    give_control();
}

void Console::obey(const Control &message) {
    const uint32_t all = (1u << ports_.size()) - 1;
    if (message.event == device_ready && message.value == 1 && state_.ready == 0) {
        state_.ready = 1;
        state_.to_add = all;
    }
    if (message.port >= ports_.size()) return;
    const uint32_t bit = 1u << message.port;
    if (message.event == port_ready && message.value == 1) {
        state_.known |= bit;
        state_.to_name |= bit;
        announce(message.port);
    }
    if (message.event != port_open) return;
    state_.opened = message.value != 0 ? state_.opened | bit : state_.opened & ~bit;
    if (message.value != 0) give_messages(message.port);
}

// Tells the driver of a port's other end, if that has come or gone since it was told.
void Console::announce(uint32_t port) {
    const uint32_t bit = 1u << port;
    if ((state_.known & bit) == 0) return;
    const bool there = link_.connected(port), told = (state_.announced & bit) != 0;
    state_.to_announce = there != told ? state_.to_announce | bit : state_.to_announce & ~bit;
    if (state_.to_announce != 0) give_control();
}

// As far as the driver has buffers for it.
void Console::give_control() {
    for (uint32_t port = 0; port < ports_.size(); ++port) {
        const uint32_t bit = 1u << port;
        if ((state_.to_add & bit) != 0) {
            if (!tell({port, device_add, 1}, nullptr)) return;
            state_.to_add &= ~bit;
        }
        if ((state_.to_name & bit) != 0) {
            if (!tell({port, port_name, 1}, ports_[port].name)) return;
            state_.to_name &= ~bit;
        }
        if ((state_.to_announce & bit) != 0) {
            const bool there = (state_.announced & bit) == 0;
            if (!tell({port, port_open, static_cast<uint16_t>(there ? 1 : 0)}, nullptr)) return;
            state_.to_announce &= ~bit;
            state_.announced ^= bit;
        }
    }
}

bool Console::tell(const Control &message, const char *name) {
    constexpr uint32_t longest_name = 32;
    std::array<uint8_t, sizeof(Control) + longest_name> bytes{};
    std::memcpy(bytes.data(), &message, sizeof message);
    const uint32_t extra = name != nullptr ? std::min(length(name), longest_name) : 0;
    if (extra != 0) std::memcpy(bytes.data() + sizeof message, name, extra);
    const uint32_t size = sizeof message + extra;
    Queue queue = transport_.queue(control_to_driver);
    const auto head = queue.next();
    if (!head) return false;
    if (room_in(queue, *head, size) < size) {
        queue.breaks(Broken::too_small);
        return false;
    }
    queue.take(*head);
    scatter(queue, *head, 0, std::span{bytes}.first(size));
    queue.finish(*head, size);
    return true;
}

void Console::conclude() {
    const auto broken = [this](uint32_t queue, Broken why) { link_.broken(queue, why); };
    if (const uint32_t bits = transport_.conclude(broken); bits != 0) link_.interrupt(bits);
}

}  // namespace partita::virtio
