// What can be as it is described, and what people should know of it all the same.
#pragma once

#include <string>

#include "plan/plan.hpp"

namespace partita::tool {

// `file:line:column: note: …`, a line each; "" where there is nothing to say.
[[nodiscard]] std::string notes_on(const Plan& plan, const std::string& file);

}  // namespace partita::tool
