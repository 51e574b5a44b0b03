#include "port_ends.hpp"

#include "page.hpp"
#include "partita/guest/calls.h"
#include "partita/guest/guest.h"
#include "partita/system_image.h"
#include "served_device.hpp"

namespace partita::parent {

using std::uint32_t;

namespace {

// The text behind this one, in a list of them.
[[nodiscard]] const char* next_text(const char* text) {
    while (*text != 0) ++text;
    return text + 1;
}

}  // namespace

bool PortEnds::open(uint32_t device, const char* what) {
    const NodeName node{device};
    const Cells numbers = cells(node, "partita,ports"), sends = cells(node, "partita,sends"), kinds = cells(node, "partita,kinds"),
                sizes = cells(node, "partita,message-sizes"), interrupts = cells(node, "interrupts");
    const char* name = text(node, "partita,port-names");
    if (name == nullptr || numbers.count > ports_.size()) return false;
    for (uint32_t n = 0; n < numbers.count; ++n, name = next_text(name)) {
        const bool latest = kinds[n] == PARTITA_CHANNEL_SAMPLING;
        ports_[n] = {.name = name, .sends = sends[n] != 0, .latest = latest, .message_size = sizes[n]};
        ends_[n] = {.number = numbers[n], .intid = interrupts[n * 3 + 1] + 32};
        if (sizes[n] > page().size()) return false;
    }
    count_ = numbers.count;
    device_ = device, what_ = what;
    client_ = text(node, "partita,client");
    return true;
}

void PortEnds::enable_interrupts(void (*handler)(uint32_t)) const {
    for (uint32_t n = 0; n < count_; ++n) interrupt_enable(ends_[n].intid, 0x80, handler);
}

std::optional<uint32_t> PortEnds::interrupted(uint32_t intid) {
    for (uint32_t n = 0; n < count_; ++n) {
        if (ends_[n].intid != intid) continue;
        given_ &= ~(1u << n);
        return n;
    }
    return std::nullopt;
}

std::span<std::uint8_t> PortEnds::page() { return {message_page(), page_size}; }

virtio::PortLink::Sent PortEnds::send(uint32_t port, uint32_t size) {
    constexpr unsigned tries = 8;  // readers of a value hold it for as long as a copy takes
    auto result = static_cast<std::int32_t>(PARTITA_BUSY);
    for (unsigned n = 0; n < tries && result == PARTITA_BUSY; ++n)
        result = static_cast<std::int32_t>(partita_call_send(ends_[port].number, 0, size).r0);
    if (result == PSCI_SUCCESS) return Sent::done;
    return result == PARTITA_FULL ? Sent::full : Sent::refused;
}

std::optional<uint32_t> PortEnds::receive(uint32_t port) {
    const uint32_t bit = 1u << port;
    if (ports_[port].latest && (given_ & bit) != 0) return std::nullopt;
    given_ |= bit;
    const hypercall_result result = partita_call_receive(ends_[port].number, 0, 0);
    if (result.r0 != PSCI_SUCCESS) return std::nullopt;
    return result.r1;
}

// Who writes a value waits for no reader.
bool PortEnds::connected(uint32_t port) {
    if (ports_[port].latest && ports_[port].sends) return true;
    return (partita_call_port(ends_[port].number, 0, 0).r1 & PARTITA_PORT_PEERS_RUN) != 0;
}

void PortEnds::interrupt(uint32_t bits) { (void)partita_call_raise(device_, bits, 0); }

void PortEnds::too_long(uint32_t port) {
    if (complaints_.may_say())
        console_printf("%s: %s wrote more than %u bytes to %s: dropped\n", program_name, client_,
                       static_cast<unsigned>(ports_[port].message_size), ports_[port].name);
}

void PortEnds::broken(uint32_t queue, virtio::Broken why) {
    if (complaints_.may_say())
        console_printf("%s: the virtio %s of %s stops until its driver resets it: queue %u: %s\n", program_name, what_, client_,
                       static_cast<unsigned>(queue), virtio::words_of(why));
}

}  // namespace partita::parent
