// The networks that this partition serves: a switch each, and a network card of this partition's where it has an uplink.
#pragma once

#include <cstdint>

#include "network_switch.hpp"
#include "partita/guest/virtio/network_driver.hpp"

namespace partita::parent {

// The network outside, behind a card.
class Uplink final : public SwitchPort {
public:
    // A text that says why not, or nullptr.
    [[nodiscard]] const char* open(std::uint32_t function, Switch& on);
    [[nodiscard]] bool deliver(const virtio::Frame& frame) override;
    void delivered() override { driver_->commit(); }
    // Takes what arrived. True: there may be more.
    bool work();
    [[nodiscard]] std::uint32_t number() const { return number_; }
    [[nodiscard]] std::uint32_t interrupt() const { return driver_->device().interrupt(); }

private:
    virtio::NetworkDriver* driver_ = nullptr;
    Switch* switch_ = nullptr;
    std::uint32_t number_ = 0;
};

class Lan {
public:
    // Network of that number, which is made when it is asked for first; its uplink is PCI function `uplink`, below 0x100, if it has one.
    // nullptr: there is no room for it.
    [[nodiscard]] static Lan* find(std::uint32_t number, const char* name, std::uint32_t uplink);

    [[nodiscard]] Switch& frames() { return switch_; }
    // The counters of a port, on the console; behind the last one those of the uplink, too.
    void tell(std::uint32_t port) const;
    void interrupted(std::uint32_t intid);
    [[nodiscard]] bool work();
    [[nodiscard]] bool has_uplink() const { return linked_; }

private:
    void open(const char* name, std::uint32_t uplink);

    Switch switch_;
    Uplink uplink_;
    bool linked_ = false, busy_ = false;
};

}  // namespace partita::parent
