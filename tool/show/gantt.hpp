// Schedules as charts over the time of a frame: the described windows, and what ran in them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.hpp"

namespace partita::tool {

// Each schedule: a row for each CPU that has windows. y: where it begins; afterwards, where it ends.
[[nodiscard]] std::string draw_schedules(const Plan& plan, int& y);

// A partition had a CPU; microseconds from the begin of a frame.
struct FrameRun {
    std::size_t partition = 0;
    double begin = 0, end = 0;
};

// One CPU's frame as it ran: the described windows as bands, what ran as bars on them.
[[nodiscard]] std::string draw_frame(const Plan& plan, const PlannedSchedule& schedule, std::size_t cpu, std::span<const FrameRun> runs,
                                     int y);
inline constexpr int frame_row = 46;

// The partitions' colours, and the axis of a frame below it.
[[nodiscard]] std::string draw_legend(const Plan& plan, int y);
[[nodiscard]] std::string draw_axis(const PlannedSchedule& schedule, int y);

}  // namespace partita::tool
