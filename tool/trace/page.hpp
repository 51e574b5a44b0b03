// A trace as one HTML page that needs nothing else: what ran on each CPU, on the described schedule; statistics, histograms, the worst of
// each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "trace/trace.hpp"

namespace partita::tool {

// title: what was run. frequency: ticks in a second.
[[nodiscard]] std::string trace_as_page(const Plan& plan, const std::vector<TraceEvent>& events, std::uint64_t frequency,
                                        const std::string& title);

}  // namespace partita::tool
