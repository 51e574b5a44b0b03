// The reference page of the hypercalls, made of the table that the dispatcher is made of (abi/partita/hypercall.h).
#pragma once

#include <string>

namespace partita::tool {

// docs/hypercalls.md.
[[nodiscard]] std::string hypercalls_as_markdown();

}  // namespace partita::tool
