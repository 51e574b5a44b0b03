// A virtio device of another partition whose ports are that partition's ends of channels: its console, or RPMsg's endpoints.
#pragma once

#include <cstdint>
#include <optional>

#include "partita/guest/virtio/console.hpp"
#include "partita/guest/virtio/rpmsg.hpp"
#include "port_ends.hpp"
#include "served_device.hpp"
#include "served_tree.hpp"

namespace partita::parent {

template <typename Device, typename State>
class ServedPorts : public ServedDevice {
public:
    void serve(std::uint32_t handle, std::uint32_t what, std::uint32_t value) override {
        serve_access(*device_, handle, what, value, [this](std::uint32_t queues) { notified(queues); });
    }
    // One of its ports'.
    void interrupted(std::uint32_t intid) override {
        const auto port = ends_.interrupted(intid);
        if (port && resumed_) device_->port_changed(*port);
    }
    void enable_interrupts(void (*handler)(std::uint32_t)) const override { ends_.enable_interrupts(handler); }
    [[nodiscard]] bool work() override {
        if (!device_->is_busy()) return false;
        device_->notified(~0u);
        return device_->is_busy();
    }

protected:
    ~ServedPorts() = default;
    [[nodiscard]] bool open(std::uint32_t device, const char* compatible, const char* what) {
        const NodeName node{device};
        auto* const state = static_cast<State*>(find_state(node, sizeof(State)));
        if (!is_compatible(node, compatible) || state == nullptr || !ends_.open(device, what) || !find_memory(node, memory_)) return false;
        device_.emplace(*state, memory_, cells(node, "partita,version")[0], ends_.ports(), ends_);
        return true;
    }

private:
    // The first comes with this partition's life, and behind a RELEASE: until then the driver's memory may be another life's.
    void notified(std::uint32_t queues) {
        if (resumed_) return device_->notified(queues);
        resumed_ = true;
        device_->resume();
    }

    PortEnds ends_;
    virtio::ClientMemory memory_;
    bool resumed_ = false;  // it went on where an earlier life of this partition ended
    std::optional<Device> device_;
};

class ServedConsole final : public ServedPorts<virtio::Console, virtio::ConsoleState> {
public:
    // As the device tree describes the device of that number. False: it describes none, or one that this cannot serve.
    [[nodiscard]] bool open(std::uint32_t device) { return ServedPorts::open(device, "partita,virtio-console", "console"); }
};

class ServedRpmsg final : public ServedPorts<virtio::Rpmsg, virtio::RpmsgState> {
public:
    [[nodiscard]] bool open(std::uint32_t device) { return ServedPorts::open(device, "partita,virtio-rpmsg", "rpmsg"); }
};

}  // namespace partita::parent
