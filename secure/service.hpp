// The functions of the trusted service (abi/partita/trusted.h).
#pragma once

#include "boot.hpp"
#include "call.hpp"
#include "partita/trusted.h"

namespace partita::secure {

// `boot`: the system that the caller is a partition of. `page` is a copy that the caller cannot change; its output is the caller's, where
// r0 of the result is 0.
[[nodiscard]] Results perform(const Call& call, partita_trusted_page& page, const Boot& boot);

}  // namespace partita::secure
