// What is known of the system that runs in the other world: measured, and checked, before it began.
#pragma once

#include "measurement.hpp"

namespace partita::secure {

struct Boot {
    Measured measured;
    std::uint32_t version = 0;  // of the image, where its signature was checked
    bool verified = false;      // its signature was checked
    std::uint32_t oldest = 0;   // version that this board still starts
};

// Measures the image in memory, and checks its signature and version where this program has the key of who signs; `oldest` of `out` is
// given. A sentence: it must not begin.
[[nodiscard]] const char* check_image(const Memory& memory, std::uint64_t hypervisor, const std::uint8_t* key, Boot& out);

}  // namespace partita::secure
