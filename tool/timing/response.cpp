#include "timing/response.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/units.hpp"
#include "partita/system_image.h"

namespace partita::tool {

namespace {

constexpr Nanoseconds us = 1000, unbounded = ~Nanoseconds{0};
constexpr std::string_view own_need = "its own", overhead = "hypervisor", of_secure_world = "secure world",
                           throttled = "its own budget's end", waiting = "waiting for windows";

[[nodiscard]] std::uint64_t times(Nanoseconds interval, Nanoseconds period) { return (interval + period - 1) / period; }

// Whether its virtual CPUs on one CPU draw on one budget.
[[nodiscard]] bool has_one_budget(const PlannedPartition& partition) {
    return partition.budget != 0 && (partition.flags & PARTITA_BUDGET_EACH) == 0;
}

[[nodiscard]] bool has_window(const std::vector<PlannedWindow>& windows, std::size_t partition) {
    return std::any_of(windows.begin(), windows.end(),
                       [&](const PlannedWindow& window) { return (window.partitions >> partition & 1u) != 0; });
}

// Another virtual CPU of the same CPU, as it is seen from the one that the promise is about.
struct Other {
    std::size_t partition = 0, vcpu = 0;
    bool equal = false;           // takes turns with it; otherwise more urgent
    bool same_windows = false;    // runs exactly when it may
    bool shares_account = false;  // an earlier one of the list has the same budget: counted there
};

// One virtual CPU in one schedule.
class Analysis {
public:
    Analysis(const Plan& plan, const Costs& costs, Promise& promise, const std::vector<PlannedWindow>& windows)
        : plan_(plan),
          costs_(costs),
          promise_(promise),
          cpu_(plan.partitions[promise.partition].cpus[promise.vcpu]),
          windows_(windows),
          supply_(windows, promise.partition, costs.longest) {
        find_others();
    }

    void run() {
        if (supply_.longest_for(1) == unbounded) {
            promise_.never =
                fmt::format("schedule \"{}\" {} on CPU {}", plan_.schedules[promise_.schedule].name,
                            has_window(windows_, promise_.partition) ? "has only windows for it that the hypervisor may need to begin them"
                                                                     : "has no window for it",
                            cpu_);
            return;
        }
        if (!find_throttling() || !all_bounded()) return;
        constexpr int most_steps = 10'000;
        const Nanoseconds give_up = promise_.deadline * 1000;
        Nanoseconds response = supply_.longest_for(promise_.need);
        for (int step = 0; step < most_steps && response <= give_up; ++step) {
            promise_.shares.clear();
            const Nanoseconds demand = demand_in(response), next = supply_.longest_for(demand);
            if (next == response) {
                promise_.response = response;
                if (response > demand) promise_.shares.push_back({std::string{waiting}, response - demand});
                return;
            }
            response = next;
        }
        promise_.never = fmt::format("what runs before it takes all the time there is: {}", words());
    }

private:
    [[nodiscard]] const PlannedPartition& own() const { return plan_.partitions[promise_.partition]; }
    [[nodiscard]] Nanoseconds slice() const { return plan_.slices[cpu_]; }

    void find_others() {
        for (std::size_t p = 0; p < plan_.partitions.size(); ++p) {
            const PlannedPartition& partition = plan_.partitions[p];
            bool counted = false;
            for (std::size_t v = 0; v < partition.cpus.size(); ++v) {
                const bool itself = p == promise_.partition && v == promise_.vcpu;
                if (itself || partition.cpus[v] != cpu_ || partition.priority < own().priority || !meets(p)) continue;
                const bool one_budget = has_one_budget(partition);
                if (p == promise_.partition && promise_.is_budget && one_budget) continue;  // what they use is what is promised
                const bool same = supply_ == Supply{windows_, p, costs_.longest};
                others_.push_back({p, v, partition.priority == own().priority, same, one_budget && counted});
                counted = true;
            }
        }
    }
    // Whether they may run at the same time at all.
    [[nodiscard]] bool meets(std::size_t partition) const {
        const std::uint32_t both = 1u << partition | 1u << promise_.partition;
        return windows_.empty() || std::any_of(windows_.begin(), windows_.end(),
                                               [&](const PlannedWindow& window) { return (window.partitions & both) == both; });
    }

    // How long its own budget may keep it waiting.
    [[nodiscard]] bool find_throttling() {
        if (promise_.is_budget || own().budget == 0) return true;
        const auto members = std::count(own().cpus.begin(), own().cpus.end(), cpu_);
        if (members > 1 && has_one_budget(own())) {
            promise_.never = fmt::format(
                "its {} virtual CPUs on CPU {} draw on one budget, which the others may use up; say budget_for = \"vcpu\"", members, cpu_);
            return false;
        }
        const Nanoseconds budget = own().budget * us, period = own().budget_period * us;
        const Nanoseconds need = promise_.need + costs_.preempt + costs_.change;
        // As many of its jobs as can run in one period of the budget: where it covers them, it is never spent.
        if (times(period + promise_.deadline, promise_.period) * need <= budget) return true;
        throttled_ = times(need, budget) * (period - budget);
        return true;
    }

    // An upper bound must exist for each that may run before it.
    [[nodiscard]] bool all_bounded() {
        for (const Other& other : others_) {
            const PlannedPartition& partition = plan_.partitions[other.partition];
            if (partition.budget != 0 || partition.wcet != 0 || (other.equal && slice() != 0)) continue;
            promise_.never = fmt::format("\"{}\" {} on CPU {} and may keep it for ever; give it a budget, or {} a higher priority",
                                         partition.name, other.equal ? "has the same priority" : "is more urgent", cpu_, own().name);
            return false;
        }
        return true;
    }

    // The most that another one can take in an interval.
    [[nodiscard]] Nanoseconds taken_by(const Other& other, Nanoseconds interval, std::string& how) const {
        const PlannedPartition& partition = plan_.partitions[other.partition];
        Nanoseconds least = unbounded;
        if (partition.budget != 0) {
            // The switches to it and back are drawn from its budget (partita_cpu::activation_ns).
            const Nanoseconds budget = partition.budget * us, period = partition.budget_period * us;
            const std::uint64_t n = times(interval + period - budget, period);
            least = n * budget;
            how = fmt::format("budget of {}, {} time{}", format_time(budget), n, n == 1 ? "" : "s");
        }
        if (partition.wcet != 0) {
            const std::uint64_t n = times(interval + (other.same_windows ? 0 : partition.deadline), partition.period);
            const Nanoseconds all = n * (partition.wcet + costs_.preempt + costs_.change);
            if (all < least) least = all, how = fmt::format("wcet of {}, {} time{}", format_time(partition.wcet), n, n == 1 ? "" : "s");
        }
        if (other.equal && slice() != 0) {
            // A turn before each of its own; where windows differ, or a budget ends, a turn may be cut short.
            const std::uint64_t cuts = other.same_windows && throttled_ == 0 ? 0 : times(interval, shortest_between_cuts());
            const std::uint64_t n = times(promise_.need, slice()) + cuts;
            const Nanoseconds all = n * (slice() + costs_.preempt + costs_.change);
            if (all < least) least = all, how = fmt::format("{} turn{} of {}", n, n == 1 ? "" : "s", format_time(slice()));
        }
        return least;
    }
    [[nodiscard]] Nanoseconds shortest_between_cuts() const {
        Nanoseconds least = own().budget != 0 ? own().budget_period * us : unbounded;
        for (const PlannedWindow& window : windows_) least = std::min(least, window.length * us);
        return least;
    }

    [[nodiscard]] Nanoseconds demand_in(Nanoseconds interval) {
        // Its own start; and each less urgent sleeper's timer may interrupt it once.
        const Nanoseconds costs = costs_.longest + costs_.change + costs_.preempt * sleepers();
        Nanoseconds sum = promise_.need + costs + throttled_;
        promise_.shares.push_back({std::string{own_need}, promise_.need});
        promise_.shares.push_back({std::string{overhead}, costs});
        if (throttled_ != 0) promise_.shares.push_back({std::string{throttled}, throttled_});
        if (plan_.has_secure_partition) {
            const Nanoseconds taken = taken_by_secure_world(interval);
            sum += taken;
            promise_.shares.push_back({std::string{of_secure_world}, taken});
        }
        for (const Other& other : others_) {
            if (other.shares_account) continue;
            std::string how;
            const Nanoseconds taken = taken_by(other, interval, how);
            sum += taken;
            promise_.shares.push_back({fmt::format("{}/vcpu{} ({})", plan_.partitions[other.partition].name, other.vcpu, how), taken});
        }
        return sum;
    }
    // It interrupts whatever runs: its loop is on the first CPU.
    [[nodiscard]] Nanoseconds taken_by_secure_world(Nanoseconds interval) const {
        return cpu_ == 0 ? (times(interval, Costs::secure_loop_period) + 1) * costs_.secure_loop
                         : (times(interval, Costs::secure_look_period) + 1) * costs_.secure_look;
    }
    [[nodiscard]] std::uint64_t sleepers() const {
        std::uint64_t out = 0;
        for (const PlannedPartition& partition : plan_.partitions)
            if (partition.priority < own().priority)
                out += static_cast<std::uint64_t>(std::count(partition.cpus.begin(), partition.cpus.end(), cpu_));
        return out;
    }
    [[nodiscard]] std::string words() const {
        std::string out;
        for (const Share& share : promise_.shares)
            out += fmt::format("{}{} {}", out.empty() ? "" : " + ", format_time(share.time), share.what);
        return out;
    }

    const Plan& plan_;
    const Costs& costs_;
    Promise& promise_;
    std::size_t cpu_;
    const std::vector<PlannedWindow>& windows_;
    Supply supply_;
    std::vector<Other> others_;
    Nanoseconds throttled_ = 0;
};

[[nodiscard]] Place place_of(const Promise& promise, const Plan& plan) {
    const PartitionDescription& description = *plan.partitions[promise.partition].description;
    if (promise.is_budget) return description.budget->place;
    return description.deadline ? description.deadline->place : description.period->place;
}

[[nodiscard]] std::string remedy(const Promise& promise) {
    const auto largest =
        std::max_element(promise.shares.begin(), promise.shares.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
    if (largest->what == waiting) return "; give it windows that are closer together, or longer";
    if (largest->what == throttled) return "; give it a larger budget, or a shorter budget_period";
    if (largest->what == own_need || largest->what == overhead) return "; it needs too much for this deadline";
    return "; give it a higher priority, or less to what takes most";
}

// Rounded up, so that what is told is still a bound.
[[nodiscard]] std::string about(Nanoseconds time) {
    const Nanoseconds step = time >= 10'000'000 ? 10'000 : time >= 10'000 ? 1000 : 1;
    return format_time((time + step - 1) / step * step);
}

}  // namespace

std::vector<Promise> analyse(const Plan& plan, const Costs& costs) {
    static const std::vector<PlannedWindow> endless;
    std::vector<Promise> out;
    for (std::size_t s = 0; s < std::max<std::size_t>(1, plan.schedules.size()); ++s)
        for (std::size_t p = 0; p < plan.partitions.size(); ++p) {
            const PlannedPartition& partition = plan.partitions[p];
            if (partition.wcet == 0 && partition.budget == 0) continue;
            for (std::size_t v = 0; v < partition.cpus.size(); ++v) {
                const auto first = std::find(partition.cpus.begin(), partition.cpus.end(), partition.cpus[v]);
                const bool told = first != partition.cpus.begin() + static_cast<std::ptrdiff_t>(v);
                if (told && partition.wcet == 0 && has_one_budget(partition)) continue;
                const auto& windows = plan.schedules.empty() ? endless : plan.schedules[s].cpus[partition.cpus[v]];
                // A schedule may let it stand still; then there is nothing to be kept of its budget, only of a deadline.
                if (partition.wcet == 0 && !windows.empty() && !has_window(windows, p)) continue;
                Promise promise;
                promise.schedule = s, promise.partition = p, promise.vcpu = v;
                promise.is_budget = partition.wcet == 0;
                promise.need = promise.is_budget ? partition.budget * us : partition.wcet;
                promise.period = promise.is_budget ? partition.budget_period * us : partition.period;
                promise.deadline = promise.is_budget ? promise.period : partition.deadline;
                Analysis{plan, costs, promise, windows}.run();
                out.push_back(std::move(promise));
            }
        }
    return out;
}

std::string tell(const Promise& promise, const Plan& plan) {
    std::string out = fmt::format("{}/vcpu{}: {}{} in each {}", plan.partitions[promise.partition].name, promise.vcpu,
                                  promise.is_budget ? "budget of " : "", format_time(promise.need), format_time(promise.period));
    if (!promise.never.empty()) return out + ": no bound, since " + promise.never;
    out += fmt::format(": done after at most {} of {}, ", about(promise.response), format_time(promise.deadline));
    if (promise.kept()) return out + fmt::format("{} to spare", format_time((promise.deadline - promise.response) / us * us));
    out += fmt::format("{} too late: ", about(promise.response - promise.deadline));
    for (std::size_t n = 0; n < promise.shares.size(); ++n)
        out += fmt::format("{}{} {}", n == 0 ? "" : " + ", about(promise.shares[n].time), promise.shares[n].what);
    return out + remedy(promise);
}

void check_promises(const Plan& plan, const Costs& costs, Diagnostics& diagnostics) {
    for (const Promise& promise : analyse(plan, costs))
        if (!promise.kept()) diagnostics.error(place_of(promise, plan), tell(promise, plan));
}

std::string timing_report(const Plan& plan, const Costs& costs) {
    std::string out;
    const auto promises = analyse(plan, costs);
    for (std::size_t s = 0; s < std::max<std::size_t>(1, plan.schedules.size()); ++s) {
        if (!plan.schedules.empty())
            out += fmt::format("schedule \"{}\", frame of {}\n", plan.schedules[s].name, format_time(plan.schedules[s].frame * us));
        for (const Promise& promise : promises)
            if (promise.schedule == s) out += fmt::format("  {}\n", tell(promise, plan));
    }
    return out;
}

}  // namespace partita::tool
