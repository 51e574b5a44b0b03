// Pictures of a plan: who owns what.
#pragma once

#include <string>

#include "plan/plan.hpp"

namespace partita::tool {

[[nodiscard]] std::string show_text(const Plan& plan);
[[nodiscard]] std::string show_svg(const Plan& plan);

}  // namespace partita::tool
