// Serves the virtio devices that the device tree says are this partition's to serve.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "served_device.hpp"

namespace partita::parent {

class Server {
public:
    // Interrupts are masked.
    void start();
    // Does what drivers and channels have asked for since the last call. True: there may be more to do at once.
    [[nodiscard]] bool work();
    // Says on the console what each device has done.
    void tell() const {
        for (const ServedDevice* const device : served()) device->tell();
    }

private:
    [[nodiscard]] bool take();
    [[nodiscard]] std::span<ServedDevice* const> served() const { return std::span{served_}.first(count_); }

    std::array<ServedDevice*, PARTITA_MAX_VIRTIO> devices_{}, served_{};  // by their numbers; those that there are
    std::uint32_t count_ = 0, interrupt_ = 0;
    bool asked_ = false;  // drivers may want something
};

}  // namespace partita::parent
