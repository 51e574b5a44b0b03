#include "served_network.hpp"

#include "alarm.hpp"
#include "partita/guest/guest.h"
#include "pci_lines.hpp"

namespace partita::parent {

using std::uint32_t;

bool ServedNetwork::open(uint32_t device) {
    const NodeName node{device};
    auto* const state = static_cast<virtio::NetworkState*>(find_state(node, sizeof(virtio::NetworkState)));
    if (!is_compatible(node, "partita,virtio-net") || state == nullptr || !find_memory(node, memory_)) return false;
    const Cells mac = cells(node, "partita,mac"), network = cells(node, "partita,network"), uplink = cells(node, "partita,uplink");
    device_ = device;
    client_ = text(node, "partita,client"), name_ = text(node, "partita,name");
    lan_ = Lan::find(network[0], name_, uplink.count != 0 ? uplink[0] : ~0u);
    if (lan_ == nullptr) return false;
    PortRules rules{.any_mac = cells(node, "partita,any-mac")[0] != 0,
                    .group = cells(node, "partita,group")[0],
                    .rate = cells(node, "partita,rate").wide(0)};
    for (uint32_t n = 0; n < rules.mac.size(); ++n) rules.mac[n] = static_cast<std::uint8_t>(mac[n]);
    number_ = lan_->frames().add(*this, rules);
    network_.emplace(*state, memory_, cells(node, "partita,version")[0], rules.mac, *this);
    return number_ != Switch::most_ports;
}

void ServedNetwork::enable_interrupts(void (*handler)(uint32_t)) const {
    if (lan_->has_uplink()) enable_lines(handler);
}

void ServedNetwork::serve(uint32_t handle, uint32_t what, uint32_t value) {
    serve_access(*network_, handle, what, value, [this](uint32_t) { notified(); });
    lan_->frames().conclude();
}

// The first comes with this partition's life, and behind a RELEASE: until then the driver's memory may be another life's.
void ServedNetwork::notified() {
    if (resumed_) {
        network_->notified();
    } else {
        resumed_ = true;
        network_->resume();
    }
    after_sending();
}

void ServedNetwork::after_sending() {
    if (network_->waits()) wake_at(lan_->frames().ready_at(number_));
    lan_->frames().conclude();
}

bool ServedNetwork::work() {
    const bool more = lan_->work();
    const bool may_go_on = network_->waits() && timer_now() >= lan_->frames().ready_at(number_);
    if (network_->is_busy() || may_go_on) {
        network_->notified();
        after_sending();
    }
    return network_->is_busy() || more;
}

void ServedNetwork::tell() const {
    console_printf("server: network %s, %s: ", name_, client_);
    lan_->tell(number_);
}

virtio::NetworkLink::Sent ServedNetwork::send(const virtio::Frame& frame) {
    return lan_->frames().send(number_, frame, timer_now()) == Switch::Sent::done ? Sent::done : Sent::wait;
}

bool ServedNetwork::deliver(const virtio::Frame& frame) { return resumed_ && network_->deliver(frame); }

void ServedNetwork::interrupt(uint32_t bits) { (void)partita_call_raise(device_, bits, 0); }

void ServedNetwork::broken(uint32_t queue, virtio::Broken why) {
    if (complaints_.may_say())
        console_printf("server: the port of %s on network %s stops until its driver resets it: queue %u: %s\n", client_, name_,
                       static_cast<unsigned>(queue), virtio::words_of(why));
}

}  // namespace partita::parent
