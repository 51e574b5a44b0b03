// A virtio device on the PCI bus (Virtual I/O Device 1.2 §4.1) that this partition drives.
#pragma once

#include <cstdint>

#include "partita/guest/virtio/driver_queue.hpp"
#include "partita/guest/virtio/transport.hpp"

namespace partita::virtio {

class PciDevice {
public:
    // Resets the function and agrees on features: of those wanted, what it offers. Those without which nothing works, and what no device
    // here works without (version 1, addresses as the platform translates them), are needed. A text that says why not, or nullptr.
    [[nodiscard]] const char *open(std::uint32_t function, std::uint64_t wanted, std::uint64_t needed);
    [[nodiscard]] bool has(std::uint64_t feature) const { return (features_ & feature) != 0; }
    // Gives it a queue, of so many entries at most. False: it has no such queue, or not one of that many.
    [[nodiscard]] bool add_queue(std::uint32_t number, DriverQueue &queue, std::uint32_t entries);
    // It works from here on.
    void start();
    // Stops it: it uses no memory any more. Within a second; false: it does not stop.
    [[nodiscard]] bool stop();
    void notify(std::uint32_t queue);
    // Whether it interrupted since the last call; its line falls.
    bool acknowledge();

    template <typename Value>
    [[nodiscard]] Value configuration(std::uint32_t offset) const {
        return *reinterpret_cast<const volatile Value *>(configuration_ + offset);
    }
    // The interrupt of its function.
    [[nodiscard]] std::uint32_t interrupt() const { return interrupt_; }

private:
    [[nodiscard]] bool find_parts(std::uint32_t function);
    template <typename Value>
    [[nodiscard]] volatile Value &common(std::uint32_t offset) const {
        return *reinterpret_cast<volatile Value *>(common_ + offset);
    }

    static constexpr std::uint32_t most_queues = 3;
    std::uintptr_t common_ = 0, notify_ = 0, status_ = 0, configuration_ = 0;
    std::uint32_t notify_step_ = 0, interrupt_ = 0;
    std::uintptr_t bells_[most_queues] = {};
    std::uint64_t features_ = 0;
};

}  // namespace partita::virtio
