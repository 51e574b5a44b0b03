// The system of the other world on this board.
#pragma once

#include "boot.hpp"

namespace partita::secure {

// Measures it, checks it, and says on the console what was found; false: it must not begin. Once, before any of it has begun.
[[nodiscard]] bool check_system();

[[nodiscard]] const Boot& booted_system();

}  // namespace partita::secure
