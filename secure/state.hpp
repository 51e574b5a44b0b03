// What the board itself remembers, where it has flash for it.
#pragma once

#include <cstdint>

#include "keys.hpp"

namespace partita::secure {

// The board's key, and what its random numbers begin with: those that are kept, or new ones. Once, after gather_entropy(). A sentence: what
// is wrong with the flash.
[[nodiscard]] const char* begin_state();

// For who makes a board's flash: random numbers that the board itself has no good source of. False: there is no room.
[[nodiscard]] bool provide_seed(const Hash& random);

// An image of an older version must not begin.
[[nodiscard]] std::uint32_t oldest_version();
[[nodiscard]] bool remember_version(std::uint32_t version);

}  // namespace partita::secure
