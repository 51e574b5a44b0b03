#include "show/gantt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "config/units.hpp"
#include "show/draw.hpp"

namespace partita::tool {

namespace {

constexpr int left = drawing::margin + 62, length = drawing::width - drawing::margin - left, height = 36;

[[nodiscard]] double scale(const PlannedSchedule& schedule) { return static_cast<double>(length) / static_cast<double>(schedule.frame); }

// Who may run in a window, the most urgent first: a stripe for each.
[[nodiscard]] std::vector<std::size_t> members(const Plan& plan, std::uint32_t partitions) {
    std::vector<std::size_t> out;
    for (std::uint32_t rest = partitions; rest != 0; rest &= rest - 1) out.push_back(static_cast<std::size_t>(std::countr_zero(rest)));
    std::sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) {
        return std::pair{plan.partitions[b].priority, a} < std::pair{plan.partitions[a].priority, b};
    });
    return out;
}

std::string draw_window(const Plan& plan, const PlannedSchedule& schedule, const PlannedWindow& window, int y) {
    const auto stripes = members(plan, window.partitions);
    std::string out;
    const double x = left + static_cast<double>(window.at) * scale(schedule), w = static_cast<double>(window.length) * scale(schedule);
    const double each = static_cast<double>(height) / static_cast<double>(std::max<std::size_t>(1, stripes.size()));
    for (std::size_t n = 0; n < stripes.size(); ++n) {
        const std::string& name = plan.partitions[stripes[n]].name;
        out += bar(x, y + each * static_cast<double>(n), w, each, colour(static_cast<int>(stripes[n])), R"( stroke="#f7f9fa")");
        constexpr double letter = 7;
        if (w > letter * static_cast<double>(name.size()) + 10 && each >= 12)
            out += text(static_cast<int>(x) + 6, static_cast<int>(y + each * (static_cast<double>(n) + 0.5)) + 4, name, "small");
    }
    return out;
}

}  // namespace

std::string draw_axis(const PlannedSchedule& schedule, int y) {
    std::string out;
    constexpr int parts = 5;
    for (int n = 0; n <= parts; ++n) {
        const std::uint64_t time = schedule.frame * static_cast<std::uint64_t>(n) / parts;
        const int x = left + length * n / parts;
        out += bar(x, y, 1, 5, "#51606d") + text(x, y + 18, format_time(time * 1000), "small",
                                                 n == 0       ? "start"
                                                 : n == parts ? "end"
                                                              : "middle");
    }
    return out;
}

std::string draw_schedules(const Plan& plan, int& y) {
    std::string out;
    for (const PlannedSchedule& schedule : plan.schedules) {
        y += 44;
        out += text(drawing::margin, y - 12,
                    fmt::format("schedule \"{}\": a frame of {}{}", schedule.name, format_time(schedule.frame * 1000),
                                &schedule == plan.schedules.data() ? ", from the start" : ""),
                    "h2");
        for (std::size_t cpu = 0; cpu < schedule.cpus.size(); ++cpu) {
            if (schedule.cpus[cpu].empty()) continue;
            out += text(drawing::margin, y + 22, fmt::format("CPU {}", cpu), "name");
            out += box(left, y, length, height, "#ffffff", R"( stroke-dasharray="4 4")");
            for (const PlannedWindow& window : schedule.cpus[cpu])
                if (window.partitions != 0) out += draw_window(plan, schedule, window, y);
            y += height + 6;
        }
        out += draw_axis(schedule, y);
        y += 20;
    }
    return out;
}

std::string draw_frame(const Plan& plan, const PlannedSchedule& schedule, std::size_t cpu, std::span<const FrameRun> runs, int y) {
    std::string out = bar(left, y, length, height, "#ffffff");
    for (const PlannedWindow& window : schedule.cpus[cpu]) {
        const auto stripes = members(plan, window.partitions);
        const double each = static_cast<double>(height) / static_cast<double>(std::max<std::size_t>(1, stripes.size()));
        for (std::size_t n = 0; n < stripes.size(); ++n)
            out +=
                bar(left + static_cast<double>(window.at) * scale(schedule), y + each * static_cast<double>(n),
                    static_cast<double>(window.length) * scale(schedule), each, colour(static_cast<int>(stripes[n])), R"( opacity="0.35")");
    }
    for (const FrameRun& run : runs)
        out += bar(left + run.begin * scale(schedule), y + 10, std::max(0.4, (run.end - run.begin) * scale(schedule)), height - 20,
                   colour(static_cast<int>(run.partition)), R"( stroke="#44505c" stroke-width="0.3")");
    return out;
}

std::string draw_legend(const Plan& plan, int y) {
    std::string out;
    int x = drawing::margin;
    for (std::size_t n = 0; n < plan.partitions.size(); ++n) {
        constexpr int letter = 8, gap = 44;
        out += box(x, y, 16, 16, colour(static_cast<int>(n))) + text(x + 22, y + 13, plan.partitions[n].name, "small");
        x += gap + letter * static_cast<int>(plan.partitions[n].name.size());
    }
    return out;
}

}  // namespace partita::tool
