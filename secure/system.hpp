// The system of the other world on this board.
#pragma once

#include "boot.hpp"

namespace partita::secure {

// Takes it out of flash where it is there, measures it, checks it, and says on the console what was found; false: it must not begin. Once,
// before any of it has begun, and after begin_state().
[[nodiscard]] bool check_system();

[[nodiscard]] const Boot& booted_system();

}  // namespace partita::secure
