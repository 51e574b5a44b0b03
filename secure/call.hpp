// Calls from the other world, and their ends.
#pragma once

#include <cstdint>

namespace partita::secure {

// Registers r0 to r7 of a call.
struct Call {
    std::uint32_t function, r1, r2, r3, r4, r5, r6, identity;
};
// Registers r0 to r3 of its end.
struct Results {
    std::uint32_t r0 = 0, r1 = 0, r2 = 0, r3 = 0;
};

}  // namespace partita::secure
