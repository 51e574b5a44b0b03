// The functions of the trusted service (abi/partita/trusted.h).
#pragma once

#include "kernel.hpp"
#include "partita/trusted.h"

namespace partita::secure {

// In a thread, with interrupts on. `page` is a copy that the caller cannot change; its output is the caller's, where r0 of the result is 0.
[[nodiscard]] Results perform(const Call& call, partita_trusted_page& page);

}  // namespace partita::secure
