#include "network_switch.hpp"

#include <algorithm>

namespace partita::parent {

using std::uint32_t;
using std::uint64_t;
using std::uint8_t;
using virtio::Frame;

namespace {

constexpr uint64_t burst = 2 * uint64_t{virtio::largest_frame};  // that a port may send at once, whatever its rate

[[nodiscard]] bool is_group(const MacAddress& mac) { return (mac[0] & 1u) != 0; }

}  // namespace

uint32_t Switch::add(SwitchPort& port, const PortRules& rules) {
    if (count_ == most_ports) return most_ports;
    ports_[count_] = {
        .port = &port, .rules = rules, .counters = {}, .credit_at = 0, .credit = burst * frequency_, .ready_at = 0, .touched = false};
    return count_++;
}

// A bucket of bytes that its rate fills. All is counted in bytes times ticks, so that nothing is divided but where it has to wait.
bool Switch::may_send(Port& port, uint32_t size, uint64_t now) {
    const uint64_t rate = port.rules.rate;
    if (rate == 0) return true;
    const uint64_t full = burst * frequency_, needed = uint64_t{size} * frequency_;
    const uint64_t longest = full / rate + 1;  // ticks that fill it
    port.credit = std::min(full, port.credit + std::min(now - port.credit_at, longest) * rate);
    port.credit_at = now;
    if (port.credit >= needed) {
        port.credit -= needed;
        return true;
    }
    port.ready_at = now + (needed - port.credit + rate - 1) / rate;
    ++port.counters.delayed;
    return false;
}

uint32_t Switch::find_owner(const MacAddress& mac) const {
    for (uint32_t n = 0; n < count_; ++n)
        if (!ports_[n].rules.uplink && ports_[n].rules.mac == mac) return n;
    return most_ports;
}

// An address that is a port's is nobody else's, from outside neither.
bool Switch::owns(const Port& port, const MacAddress& mac) const {
    const uint32_t owner = find_owner(mac);
    return owner != most_ports ? &ports_[owner] == &port : port.rules.any_mac && !is_group(mac);
}

// FNV-1a.
uint32_t Switch::slot(const MacAddress& mac) {
    uint32_t hash = 0x811c'9dc5;
    for (const uint8_t byte : mac) hash = (hash ^ byte) * 0x0100'0193u;
    return hash % table_size;
}

// Into its place, a free one, or that which was not seen for longest: who sends from many addresses makes others be looked for, and no
// more.
void Switch::learn(uint32_t port, const MacAddress& mac, uint64_t now) {
    Learned* best = nullptr;
    for (uint32_t n = 0; n < most_probes; ++n) {
        Learned& at = learned_[(slot(mac) + n) % table_size];
        if (at.known && at.mac == mac) {
            best = &at;
            break;
        }
        if (best == nullptr || (best->known && (!at.known || at.seen_at < best->seen_at))) best = &at;
    }
    *best = {.mac = mac, .port = static_cast<uint8_t>(port), .known = true, .seen_at = now};
}

uint32_t Switch::find_learned(const MacAddress& mac, uint64_t now) const {
    for (uint32_t n = 0; n < most_probes; ++n) {
        const Learned& at = learned_[(slot(mac) + n) % table_size];
        if (at.known && at.mac == mac) return now - at.seen_at <= uint64_t{forgotten_after} * frequency_ ? at.port : most_ports;
    }
    return most_ports;
}

bool Switch::reaches(const Port& from, const Port& to) const {
    return &from != &to && (from.rules.uplink || to.rules.uplink || from.rules.group == to.rules.group);
}

void Switch::deliver(uint32_t from, uint32_t to, const Frame& frame) {
    Port& port = ports_[to];
    if (!reaches(ports_[from], port)) return;
    if (!port.port->deliver(frame)) {
        ++port.counters.no_room;
        return;
    }
    ++port.counters.received_frames;
    port.counters.received_bytes += frame.size;
    port.touched = true;
}

Switch::Sent Switch::send(uint32_t number, const Frame& frame, uint64_t now) {
    Port& port = ports_[number];
    std::array<uint8_t, 12> addresses{};
    copy(frame, 0, addresses);
    MacAddress to, from;
    std::copy_n(addresses.begin(), 6, to.begin());
    std::copy_n(addresses.begin() + 6, 6, from.begin());
    if (!owns(port, from)) {
        ++port.counters.foreign;
        return Sent::done;
    }
    if (!may_send(port, frame.size, now)) return Sent::wait;
    ++port.counters.sent_frames;
    port.counters.sent_bytes += frame.size;
    if (port.rules.any_mac && port.rules.mac != from) learn(number, from, now);
    uint32_t known = is_group(to) ? most_ports : find_owner(to);
    if (known == most_ports && !is_group(to)) known = find_learned(to, now);
    if (known != most_ports) {
        deliver(number, known, frame);
        return Sent::done;
    }
    // To all, or to all behind whom an address that is not known can be.
    for (uint32_t n = 0; n < count_; ++n)
        if (is_group(to) || ports_[n].rules.any_mac) deliver(number, n, frame);
    return Sent::done;
}

void Switch::conclude() {
    for (uint32_t n = 0; n < count_; ++n) {
        if (!ports_[n].touched) continue;
        ports_[n].touched = false;
        ports_[n].port->delivered();
    }
}

}  // namespace partita::parent
