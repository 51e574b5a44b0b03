// Serves the virtio devices that the device tree says are this partition's to serve.
#pragma once

#include <array>
#include <cstdint>

#include "served_device.hpp"

namespace partita::parent {

class Server {
public:
    // Interrupts are masked.
    void start();
    // Does what drivers and channels have asked for since the last call. True: there may be more to do at once.
    [[nodiscard]] bool work();

private:
    [[nodiscard]] bool go_on();

    std::array<ServedDevice*, PARTITA_MAX_VIRTIO> devices_{};
    std::uint32_t count_ = 0;
};

}  // namespace partita::parent
