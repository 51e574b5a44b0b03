// What a run did in the frames of its schedule, from its flight recorder.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "show/gantt.hpp"
#include "trace/trace.hpp"

namespace partita::tool {

// One CPU in one frame, seen from its begin to its end.
struct SeenFrame {
    std::size_t cpu = 0, schedule = 0;
    std::uint64_t begin = 0;     // ticks
    std::vector<FrameRun> runs;  // guests alone: the hypervisor's own time is between them
};

struct SeenSchedule {
    std::vector<SeenFrame> frames;
    std::size_t windows = 0;   // begins that were recorded
    std::uint64_t latest = 0;  // ticks: how late the latest of them was seen
    double outside = 0;        // microseconds that partitions without slack had outside their windows, at most in one piece
};

// frequency: ticks in a second.
[[nodiscard]] SeenSchedule frames_of(const Plan& plan, const std::vector<TraceEvent>& events, std::uint64_t frequency);

// The last frames, each on its windows.
[[nodiscard]] std::string frames_as_svg(const Plan& plan, const SeenSchedule& seen);

}  // namespace partita::tool
