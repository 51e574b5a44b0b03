#include "lan.hpp"

#include <array>
#include <optional>

#include "partita/guest/guest.h"
#include "pci_lines.hpp"

namespace partita::parent {

using std::uint32_t;

namespace {

constexpr uint32_t most_networks = 4, most_cards = 1;
constexpr uint32_t most_at_once = 64;  // frames from outside, until others have their turn

// Nothing of the cards' buffers is in the program's file.
constinit std::array<std::optional<virtio::NetworkDriver>, most_cards> cards{};
constinit uint32_t card_count = 0;

}  // namespace

const char* Uplink::open(uint32_t function, Switch& on) {
    if (card_count == most_cards) return "more network cards than there is room for";
    driver_ = &cards[card_count++].emplace();
    if (const char* const why = driver_->open(function); why != nullptr) return why;
    switch_ = &on;
    number_ = on.add(*this, {.any_mac = true, .uplink = true});
    return number_ != Switch::most_ports && add_to_line(driver_->device()) ? nullptr : "there is no room for it";
}

bool Uplink::deliver(const virtio::Frame& frame) {
    virtio::FrameAdapter adapter{frame, driver_->offloads()};
    bool all = true;
    while (const virtio::Frame* const each = adapter.next()) all = all && driver_->send(*each);
    return all;
}

bool Uplink::work() {
    return driver_->receive(most_at_once, [this](const virtio::Frame& frame) { (void)switch_->send(number_, frame, timer_now()); });
}

Lan* Lan::find(uint32_t number, const char* name, uint32_t uplink) {
    static constinit std::array<std::optional<Lan>, most_networks> all{};
    if (number >= all.size()) return nullptr;
    if (!all[number]) all[number].emplace().open(name, uplink);
    return &*all[number];
}

// Without its uplink the partitions still reach each other.
void Lan::open(const char* name, uint32_t uplink) {
    switch_ = Switch{timer_frequency()};
    if (uplink >= 0x100) return;
    const char* const why = uplink_.open(uplink, switch_);
    linked_ = why == nullptr;
    if (!linked_) console_printf("server: network %s has no uplink: %s\n", name, why);
}

namespace {

void tell_counters(const PortCounters& counters) {
    const auto wide = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    console_printf(
        "sent %llu frames (%llu bytes), received %llu (%llu bytes); lost %llu without room, %llu from foreign addresses, %llu malformed; "
        "%llu times delayed\n",
        wide(counters.sent_frames), wide(counters.sent_bytes), wide(counters.received_frames), wide(counters.received_bytes),
        wide(counters.no_room), wide(counters.foreign), wide(counters.malformed), wide(counters.delayed));
}

}  // namespace

void Lan::tell(uint32_t port) const {
    tell_counters(switch_.counters(port));
    if (!linked_ || port + 1 != switch_.ports()) return;
    console_printf("server: ... and its uplink: ");
    tell_counters(switch_.counters(uplink_.number()));
}

void Lan::interrupted(uint32_t intid) {
    if (linked_ && uplink_.interrupt() == intid) busy_ = true;
}

bool Lan::work() {
    if (!busy_) return false;
    busy_ = uplink_.work();
    switch_.conclude();
    return busy_;
}

}  // namespace partita::parent
