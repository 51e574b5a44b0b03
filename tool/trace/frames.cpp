#include "trace/frames.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "partita/system_image.h"
#include "partita/trace.h"
#include "show/draw.hpp"

namespace partita::tool {

namespace {

// Follows one CPU's events through its frames.
class CpuReader {
public:
    CpuReader(const Plan& plan, std::uint64_t frequency, std::size_t cpu, SeenSchedule& out)
        : plan_(plan), ticks_per_us_(static_cast<double>(frequency) / 1e6), cpu_(cpu), out_(out) {}

    void add(const TraceEvent& event) {
        switch (event.kind) {
            case PARTITA_TRACE_RESUME: running_ = event.a >> 8, since_ = event.ticks; return;
            case PARTITA_TRACE_TRAP:
            case PARTITA_TRACE_INTERRUPT:
            case PARTITA_TRACE_IDLE: return stop(event.ticks);
            case PARTITA_TRACE_WINDOW: return window(event);
            default: return;
        }
    }

private:
    void window(const TraceEvent& event) {
        const std::size_t schedule = event.b >> 24, number = event.b & 0x00ff'ffffu;
        if (schedule >= plan_.schedules.size() || number >= plan_.schedules[schedule].cpus[cpu_].size()) return;
        ++out_.windows;
        out_.latest = std::max<std::uint64_t>(out_.latest, event.a);
        if (number != 0 && frame_) return;
        if (frame_) out_.frames.push_back(*std::move(frame_));
        frame_.reset();
        if (number != 0) return;  // the ring begins in the middle of a frame
        frame_ = SeenFrame{cpu_, schedule, event.ticks - event.a, {}};
    }
    void stop(std::uint64_t ticks) {
        if (!running_) return;
        if (frame_ && *running_ < plan_.partitions.size()) keep({*running_, time(since_), time(ticks)});
        running_.reset();
    }
    void keep(const FrameRun& run) {
        if (run.begin < 0) return;
        frame_->runs.push_back(run);
        if ((plan_.partitions[run.partition].flags & PARTITA_SLACK) == 0) out_.outside = std::max(out_.outside, outside(run));
    }
    // How much of a run lies in windows of others.
    [[nodiscard]] double outside(const FrameRun& run) const {
        double sum = run.end - run.begin;
        for (const PlannedWindow& window : plan_.schedules[frame_->schedule].cpus[cpu_])
            if ((window.partitions >> run.partition & 1u) != 0)
                sum -= std::max(0.0,
                                std::min(run.end, static_cast<double>(window.end())) - std::max(run.begin, static_cast<double>(window.at)));
        return sum;
    }
    [[nodiscard]] double time(std::uint64_t ticks) const {
        return (static_cast<double>(ticks) - static_cast<double>(frame_->begin)) / ticks_per_us_;
    }

    const Plan& plan_;
    double ticks_per_us_;
    std::size_t cpu_;
    SeenSchedule& out_;
    std::optional<std::size_t> running_;
    std::uint64_t since_ = 0;
    std::optional<SeenFrame> frame_;
};

}  // namespace

SeenSchedule frames_of(const Plan& plan, const std::vector<TraceEvent>& events, std::uint64_t frequency) {
    SeenSchedule out;
    std::map<std::uint32_t, CpuReader> readers;
    for (const TraceEvent& event : events)
        if (event.cpu < plan.board->cpus.size()) readers.try_emplace(event.cpu, plan, frequency, event.cpu, out).first->second.add(event);
    std::sort(out.frames.begin(), out.frames.end(),
              [](const SeenFrame& a, const SeenFrame& b) { return std::tie(a.begin, a.cpu) < std::tie(b.begin, b.cpu); });
    return out;
}

std::string frames_as_svg(const Plan& plan, const SeenSchedule& seen) {
    constexpr std::size_t most = 24;
    const std::size_t first = seen.frames.size() > most ? seen.frames.size() - most : 0;
    int y = 60;
    std::string content = draw_legend(plan, y);
    y += 54;
    const SeenFrame* previous = nullptr;
    for (std::size_t n = first; n < seen.frames.size(); ++n) {
        const SeenFrame& frame = seen.frames[n];
        const PlannedSchedule& schedule = plan.schedules[frame.schedule];
        if (previous == nullptr || previous->schedule != frame.schedule) {
            content += text(drawing::margin, y - 6, fmt::format("schedule \"{}\"", schedule.name), "h2") + draw_axis(schedule, y);
            y += 28;
        }
        content += text(drawing::margin, y + 22, fmt::format("CPU {}", frame.cpu), "name");
        content += draw_frame(plan, schedule, frame.cpu, frame.runs, y);
        y += frame_row;
        previous = &frame;
    }
    return picture(fmt::format("{}: what ran in the last frames, on the windows that are described", plan.board->name),
                   "each CPU's frames: windows and what ran in them", y + drawing::margin, content);
}

}  // namespace partita::tool
