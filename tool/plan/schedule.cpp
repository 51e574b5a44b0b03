#include "plan/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "config/units.hpp"
#include "partita/system_image.h"

namespace partita::tool {

namespace {

constexpr std::uint64_t us = 1000;

// Whole microseconds of a time in nanoseconds; complains where it is not that, or out of bounds.
[[nodiscard]] std::uint64_t microseconds(const Placed<std::uint64_t>& time, std::string_view what, std::uint64_t least, std::uint64_t most,
                                         Diagnostics& diagnostics) {
    if (time.value % us != 0)
        diagnostics.error(time.place, fmt::format("{} is {}; it must be a whole number of microseconds", what, format_time(time.value)));
    else if (time.value < least * us || time.value > most * us)
        diagnostics.error(time.place, fmt::format("{} is {}; it must be between {} and {}", what, format_time(time.value),
                                                  format_time(least * us), format_time(most * us)));
    return time.value / us;
}

// The windows of one schedule as they are described, for each CPU.
class ScheduleBuilder {
public:
    ScheduleBuilder(const Plan& plan, const ScheduleDescription& description, Diagnostics& diagnostics)
        : plan_(plan), diagnostics_(diagnostics) {
        constexpr std::uint64_t shortest = 1000;
        out_.name = description.name.value;
        out_.frame = microseconds(description.frame, "the frame", shortest, PARTITA_LONGEST_TIME_US, diagnostics);
        out_.cpus.resize(plan.board->cpus.size());
    }

    void add(const WindowDescription& window) {
        PlannedWindow planned;
        planned.place = window.place;
        planned.at = microseconds(window.at, "the begin of the window", 0, PARTITA_LONGEST_TIME_US, diagnostics_);
        planned.length =
            microseconds(window.length, "the length of the window", PARTITA_SHORTEST_WINDOW_US, PARTITA_LONGEST_TIME_US, diagnostics_);
        planned.partitions = members(window);
        if (planned.end() > out_.frame)
            diagnostics_.error(window.length.place,
                               fmt::format("the window ends at {} + {} = {}, but the frame of \"{}\" is over at {}; make it {} shorter",
                                           format_time(planned.at * us), format_time(planned.length * us), format_time(planned.end() * us),
                                           out_.name, format_time(out_.frame * us), format_time((planned.end() - out_.frame) * us)));
        if (window.cpus.empty()) diagnostics_.error(window.place, "the window is on no CPU; name at least one, like cpus = [0]");
        for (const auto& cpu : window.cpus) {
            if (cpu.value >= out_.cpus.size()) {
                diagnostics_.error(cpu.place, fmt::format("board \"{}\" has no CPU {}; it has CPUs 0 to {}", plan_.board->name, cpu.value,
                                                          out_.cpus.size() - 1));
                continue;
            }
            check_use(window, planned, cpu);
            out_.cpus[cpu.value].push_back(planned);
        }
    }

    [[nodiscard]] PlannedSchedule finish() {
        for (std::size_t cpu = 0; cpu < out_.cpus.size(); ++cpu) {
            auto& windows = out_.cpus[cpu];
            std::sort(windows.begin(), windows.end(),
                      [](const auto& a, const auto& b) { return std::tie(a.at, a.place) < std::tie(b.at, b.place); });
            for (std::size_t n = 1; n < windows.size(); ++n) check_overlap(windows[n - 1], windows[n], cpu);
            if (!diagnostics_.any() && !windows.empty()) fill_gaps(windows);
        }
        return std::move(out_);
    }

private:
    [[nodiscard]] std::uint32_t members(const WindowDescription& window) {
        std::uint32_t out = 0;
        std::vector<std::string> names;
        for (const PlannedPartition& partition : plan_.partitions) names.push_back(partition.name);
        if (window.partitions.empty()) diagnostics_.error(window.place, "the window is for no partition; leave it out, or name one");
        for (const auto& name : window.partitions) {
            const auto found = std::find(names.begin(), names.end(), name.value);
            if (found == names.end())
                diagnostics_.error(name.place, fmt::format("no partition \"{}\"; {}", name.value, suggest(name.value, names)));
            else
                out |= 1u << (found - names.begin());
        }
        return out;
    }

    // Every partition of a window has a virtual CPU to use it.
    void check_use(const WindowDescription& window, const PlannedWindow& planned, const Placed<std::uint64_t>& cpu) {
        for (std::size_t n = 0; n < plan_.partitions.size(); ++n) {
            const PlannedPartition& partition = plan_.partitions[n];
            if ((planned.partitions >> n & 1u) == 0) continue;
            if (std::find(partition.cpus.begin(), partition.cpus.end(), cpu.value) == partition.cpus.end())
                diagnostics_.error(window.place,
                                   fmt::format("\"{}\" has a window on CPU {}, but no virtual CPU there; take {} from the window's "
                                               "cpus, or add it to the partition's",
                                               partition.name, cpu.value, cpu.value));
        }
    }

    void check_overlap(const PlannedWindow& first, const PlannedWindow& second, std::size_t cpu) {
        if (second.at >= first.end()) return;
        diagnostics_.error(
            second.place,
            fmt::format("this window begins at {} on CPU {}, but the one at line {} ends at {} + {} = {}: they overlap by {}; "
                        "begin later, or make that one shorter",
                        format_time(second.at * us), cpu, first.place.line, format_time(first.at * us), format_time(first.length * us),
                        format_time(first.end() * us), format_time((std::min(first.end(), second.end()) - second.at) * us)));
    }

    void fill_gaps(std::vector<PlannedWindow>& windows) {
        std::vector<PlannedWindow> all;
        std::uint64_t at = 0;
        const auto idle_until = [&](std::uint64_t end, Place place) {
            if (end == at) return;
            if (end - at < PARTITA_SHORTEST_WINDOW_US)
                diagnostics_.error(place, fmt::format("{} between {} and {} are nobody's: close the gap, or make it at least {} long",
                                                      format_time((end - at) * us), format_time(at * us), format_time(end * us),
                                                      format_time(PARTITA_SHORTEST_WINDOW_US * us)));
            all.push_back({at, end - at, 0, place});
        };
        for (const PlannedWindow& window : windows) {
            idle_until(window.at, window.place);
            all.push_back(window);
            at = window.end();
        }
        idle_until(out_.frame, windows.back().place);
        windows = std::move(all);
    }

    const Plan& plan_;
    Diagnostics& diagnostics_;
    PlannedSchedule out_;
};

[[nodiscard]] std::uint32_t all_partitions(const Plan& plan) { return (1u << plan.partitions.size()) - 1; }

// A CPU with windows in one schedule has them in all: where it has none, everybody may run in the whole frame.
void complete(Plan& plan) {
    for (std::size_t cpu = 0; cpu < plan.board->cpus.size(); ++cpu) {
        const bool framed =
            std::any_of(plan.schedules.begin(), plan.schedules.end(), [&](const auto& schedule) { return !schedule.cpus[cpu].empty(); });
        if (!framed) continue;
        for (PlannedSchedule& schedule : plan.schedules)
            if (schedule.cpus[cpu].empty()) schedule.cpus[cpu].push_back({0, schedule.frame, all_partitions(plan), {}});
    }
}

// Who would never run from the start. In another schedule a partition without a window may be meant to stand still.
void check_starved(const Plan& plan, Diagnostics& diagnostics) {
    if (plan.schedules.empty()) return;
    const PlannedSchedule& schedule = plan.schedules.front();
    for (std::size_t n = 0; n < plan.partitions.size(); ++n) {
        const PlannedPartition& partition = plan.partitions[n];
        if ((partition.flags & PARTITA_SLACK) != 0) continue;
        for (std::size_t v = 0; v < partition.cpus.size(); ++v) {
            const auto& windows = schedule.cpus[partition.cpus[v]];
            const bool runs = std::any_of(windows.begin(), windows.end(), [&](const auto& w) { return (w.partitions >> n & 1u) != 0; });
            if (runs || windows.empty()) continue;
            diagnostics.error(partition.description->cpus[v].place,
                              fmt::format("virtual CPU {} of \"{}\" would never run: schedule \"{}\" has windows on CPU {}, but none for "
                                          "it; give it one, or slack = true",
                                          v, partition.name, schedule.name, partition.cpus[v]));
        }
    }
}

// Complains about the first two of a set of partitions that have one priority on a CPU.
bool check_equals(const Plan& plan, std::size_t cpu, std::uint32_t set, Diagnostics& diagnostics) {
    std::map<std::uint32_t, std::string> priorities;
    for (std::size_t n = 0; n < plan.partitions.size(); ++n) {
        const PlannedPartition& partition = plan.partitions[n];
        if ((set >> n & 1u) == 0) continue;
        for (std::size_t v = 0; v < partition.cpus.size(); ++v) {
            if (partition.cpus[v] != cpu) continue;
            const auto [first, is_new] = priorities.emplace(partition.priority, partition.name);
            if (is_new) continue;
            diagnostics.error(
                partition.description->cpus[v].place,
                fmt::format("\"{}\" and \"{}\" may run on CPU {} at the same time with the same priority, and nothing says how "
                            "long a turn is; add [[cpu]] id = {}, slice = \"5 ms\", or change a priority",
                            first->second, partition.name, cpu, cpu));
            return false;
        }
    }
    return true;
}

// Those of one priority that may run at the same time take turns, which have a length.
void check_slices(const Plan& plan, Diagnostics& diagnostics) {
    std::uint32_t slack = 0;
    for (std::size_t n = 0; n < plan.partitions.size(); ++n)
        if ((plan.partitions[n].flags & PARTITA_SLACK) != 0) slack |= 1u << n;
    for (std::size_t cpu = 0; cpu < plan.board->cpus.size(); ++cpu) {
        std::vector<std::uint32_t> sets;  // of partitions that may run together; none: plan_cpus() asks for a [[cpu]] section
        for (const PlannedSchedule& schedule : plan.schedules)
            for (const PlannedWindow& window : schedule.cpus[cpu]) sets.push_back(window.partitions);
        if (plan.slices[cpu] != 0 || sets.empty()) continue;
        sets.push_back(slack);
        for (const std::uint32_t set : sets)
            if (!check_equals(plan, cpu, set, diagnostics)) break;
    }
}

}  // namespace

void plan_budget(const PartitionDescription& description, PlannedPartition& out, Diagnostics& diagnostics) {
    if (description.budget && description.budget_period) {
        constexpr std::uint64_t least_budget = 50, least_period = 500;
        out.budget =
            static_cast<std::uint32_t>(microseconds(*description.budget, "the budget", least_budget, PARTITA_LONGEST_TIME_US, diagnostics));
        out.budget_period = static_cast<std::uint32_t>(
            microseconds(*description.budget_period, "the budget's period", least_period, PARTITA_LONGEST_TIME_US, diagnostics));
        if (out.budget > out.budget_period)
            diagnostics.error(description.budget->place,
                              fmt::format("a budget of {} in each {} is more than there is", format_time(description.budget->value),
                                          format_time(description.budget_period->value)));
    } else if (description.budget) {
        diagnostics.error(description.budget->place, "a budget needs its period; add a line like: budget_period = \"10 ms\"");
    } else if (description.budget_period) {
        diagnostics.error(description.budget_period->place, "budget_period alone means nothing; add a line like: budget = \"2 ms\"");
    }
    if (!description.period && !description.deadline && !description.wcet) return;
    if (!description.period || !description.wcet) {
        const Placed<std::uint64_t>& stated = description.period ? *description.period
                                              : description.wcet ? *description.wcet
                                                                 : *description.deadline;
        diagnostics.error(stated.place, fmt::format("what \"{}\" has to do in time needs both period and wcet; add the other", out.name));
        return;
    }
    out.period = description.period->value;
    out.wcet = description.wcet->value;
    out.deadline = description.deadline ? description.deadline->value : out.period;
    const std::uint64_t most = PARTITA_LONGEST_TIME_US * us;
    if (out.period == 0 || out.period > most)
        diagnostics.error(description.period->place, fmt::format("the period must be between 1 ns and {}", format_time(most)));
    if (out.deadline > out.period)
        diagnostics.error(description.deadline->place,
                          fmt::format("the deadline of {} is behind the end of the period of {}; it must not be", format_time(out.deadline),
                                      format_time(out.period)));
    if (out.wcet == 0 || out.wcet > out.deadline)
        diagnostics.error(description.wcet->place, fmt::format("wcet is {}, the deadline {}: it could not be met even alone",
                                                               format_time(out.wcet), format_time(out.deadline)));
}

void plan_schedules(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics) {
    if (plan.partitions.size() > PARTITA_MAX_PARTITIONS) return;  // told already; sets of partitions have no room for them
    if (system.schedules.size() > PARTITA_MAX_SCHEDULES)
        diagnostics.error(system.schedules[PARTITA_MAX_SCHEDULES].place,
                          fmt::format("more than {} schedules; leave this one out", PARTITA_MAX_SCHEDULES));
    std::vector<std::string> names;
    for (const ScheduleDescription& schedule : system.schedules) {
        if (std::find(names.begin(), names.end(), schedule.name.value) != names.end())
            diagnostics.error(schedule.name.place, fmt::format("two schedules are called \"{}\"; rename one", schedule.name.value));
        names.push_back(schedule.name.value);
    }
    for (const WindowDescription& window : system.windows) {
        if (names.empty())
            diagnostics.error(window.place, "a window needs a schedule; add [[schedule]] name = \"normal\", frame = \"20 ms\"");
        else if (!window.schedule.value.empty() && std::find(names.begin(), names.end(), window.schedule.value) == names.end())
            diagnostics.error(window.schedule.place,
                              fmt::format("no schedule \"{}\"; {}", window.schedule.value, suggest(window.schedule.value, names)));
    }
    for (std::size_t n = 0; n < system.schedules.size(); ++n) {
        ScheduleBuilder builder{plan, system.schedules[n], diagnostics};
        for (const WindowDescription& window : system.windows)
            if (window.schedule.value == names[n] || (window.schedule.value.empty() && n == 0)) builder.add(window);
        plan.schedules.push_back(builder.finish());
    }
    if (diagnostics.any()) return;
    complete(plan);
    std::size_t windows = 0;
    for (const PlannedSchedule& schedule : plan.schedules)
        for (const auto& of_cpu : schedule.cpus) windows += of_cpu.size();
    if (windows > PARTITA_MAX_WINDOWS)
        diagnostics.error(
            system.windows.back().place,
            fmt::format("{} windows in all, gaps and CPUs counted one by one; at most {} are possible", windows, PARTITA_MAX_WINDOWS));
    check_starved(plan, diagnostics);
    check_slices(plan, diagnostics);
}

}  // namespace partita::tool
