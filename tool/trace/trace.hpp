// The flight recorder's rings as events in the order of time, and as a picture that Perfetto and Chrome open.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/kernel.hpp"
#include "plan/plan.hpp"

namespace partita::tool {

struct TraceEvent {
    std::uint64_t ticks = 0;
    std::uint32_t cpu = 0;
    std::uint32_t kind = 0;  // enum partita_trace_kind
    std::uint32_t a = 0, b = 0;
    std::size_t order = 0;  // among those of its CPU
};

// rings: each `size` bytes, one CPU's behind the other's. Events of one CPU stay in their order; bytes that are no record are left out.
[[nodiscard]] std::vector<TraceEvent> read_trace(std::span<const std::uint8_t> rings, std::uint64_t size);

// Chrome's trace format, as JSON: for each CPU what ran, and what the hypervisor did and why; faults, injections and SGIs as marks.
// frequency: ticks in a second.
[[nodiscard]] std::string trace_as_json(const Plan& plan, const std::vector<TraceEvent>& events, std::uint64_t frequency);

}  // namespace partita::tool
