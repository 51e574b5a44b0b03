// Serves the virtio devices that the device tree says are this partition's to serve.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "served_console.hpp"

namespace partita::parent {

class Server {
public:
    // Interrupts are masked.
    void start();
    // Does what drivers and channels have asked for since the last call. True: there may be more to do at once.
    [[nodiscard]] bool work();

private:
    static constexpr std::uint32_t most = 8;
    std::array<std::optional<ServedConsole>, most> consoles_{};
    std::array<ServedConsole*, 32> by_number_{};
    std::uint32_t count_ = 0;
};

}  // namespace partita::parent
