#include "trace/timeline.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "arch/syndrome.hpp"
#include "partita/trace.h"

namespace partita::tool {

namespace {

[[nodiscard]] std::string cause_of(std::uint32_t hsr) {
    switch (Syndrome{hsr}.trap_class()) {
        case TrapClass::hvc: return "hypercall";
        case TrapClass::smc: return "SMC";
        case TrapClass::data_abort: return DataAbort{hsr}.write() ? "device write" : "device read";
        case TrapClass::prefetch_abort: return "prefetch abort";
        case TrapClass::wfi_wfe: return "WFI";
        case TrapClass::cp15_32:
        case TrapClass::cp15_64: return "CP15 register";
        case TrapClass::cp14_32:
        case TrapClass::cp14_64:
        case TrapClass::cp14_load_store: return "CP14 register";
        case TrapClass::coprocessor_access:
        case TrapClass::vmrs: return "VFP";
        default: return fmt::format("trap class {:#x}", Syndrome::Class::get(hsr));
    }
}

// Follows one CPU: a slice from each resume to the next exit, and what the hypervisor did between.
class CpuFollower {
public:
    CpuFollower(const Plan& plan, std::uint64_t frequency, std::uint32_t cpu, Timeline& out)
        : plan_(plan), ticks_per_us_(static_cast<double>(frequency) / 1e6), cpu_(cpu), out_(out) {}

    void add(const TraceEvent& event) {
        using Kind = TraceSlice::Kind;
        using Mark = TraceMark::Kind;
        switch (event.kind) {
            case PARTITA_TRACE_TRAP: return begin(event, Kind::hypervisor, cause_of(event.a), event.b);
            case PARTITA_TRACE_INTERRUPT: return begin(event, Kind::hypervisor, fmt::format("interrupt {}", event.a), event.b);
            case PARTITA_TRACE_RESUME: return begin(event, Kind::guest, name_of(event.a), event.b);
            case PARTITA_TRACE_IDLE: return begin(event, Kind::idle, "idle", 0);
            case PARTITA_TRACE_WAKE: return begin(event, Kind::hypervisor, "wake", 0);
            case PARTITA_TRACE_SWITCH: return mark(event, Mark::change, "switch to " + name_of(event.a));
            case PARTITA_TRACE_INJECT: return mark(event, Mark::injection, fmt::format("inject {} to vcpu{}", event.a, event.b));
            case PARTITA_TRACE_SGI: return mark(event, Mark::sgi, fmt::format("SGI {} from vcpu{}", event.a & 0xfu, event.b));
            case PARTITA_TRACE_FAULT:
                return mark(event, Mark::fault, fmt::format("fault at {:#x}, IPA {:#x}", event.a, std::uint64_t{event.b} << 8));
            case PARTITA_TRACE_WINDOW: return window(event);
            default: return;
        }
    }
    void finish(std::uint64_t ticks) { end(ticks); }

private:
    [[nodiscard]] std::string name_of(std::uint32_t vcpu) const {
        const std::uint32_t partition = vcpu >> 8;
        const std::string name =
            partition < plan_.partitions.size() ? plan_.partitions[partition].name : fmt::format("partition {}", partition);
        return fmt::format("{}/vcpu{}", name, vcpu & 0xffu);
    }
    void begin(const TraceEvent& event, TraceSlice::Kind kind, std::string name, std::uint32_t pc) {
        end(event.ticks);
        open_ = {cpu_, kind, std::move(name), event.ticks, 0, pc};
    }
    void end(std::uint64_t ticks) {
        if (open_.name.empty()) return;
        open_.end = ticks;
        out_.slices.push_back(std::exchange(open_, {}));
    }
    void mark(const TraceEvent& event, TraceMark::Kind kind, std::string name, std::uint64_t late = 0) {
        out_.marks.push_back({cpu_, kind, std::move(name), event.ticks, late});
    }
    void window(const TraceEvent& event) {
        const std::size_t schedule = event.b >> 24, number = event.b & 0x00ff'ffffu;
        mark(event, TraceMark::Kind::window, fmt::format("window {} of schedule {}, {} ticks late", number, schedule, event.a), event.a);
        if (schedule >= plan_.schedules.size() || cpu_ >= plan_.schedules[schedule].cpus.size()) return;
        const auto& windows = plan_.schedules[schedule].cpus[cpu_];
        if (number >= windows.size()) return;
        const std::uint64_t begin = event.ticks - event.a;
        const auto length = static_cast<std::uint64_t>(static_cast<double>(windows[number].length) * ticks_per_us_);
        out_.windows.push_back({cpu_, begin, begin + length, windows[number].partitions});
    }

    const Plan& plan_;
    double ticks_per_us_;
    std::uint32_t cpu_;
    Timeline& out_;
    TraceSlice open_;
};

// Finds where SGIs arrive: at the next injection of that number to one of the vCPUs that it is for. CPUs hold vCPUs of one partition at a
// time, by which those of others with the same number are told from them.
class SgiFollower {
public:
    explicit SgiFollower(Timeline& out) : out_(out) {}

    void add(const TraceEvent& event) {
        switch (event.kind) {
            case PARTITA_TRACE_RESUME:
            case PARTITA_TRACE_SWITCH: held_[event.cpu] = event.a >> 8; return;
            case PARTITA_TRACE_SGI: return sent(event);
            case PARTITA_TRACE_INJECT: return injected(event);
            default: return;
        }
    }

private:
    struct Sent {
        TraceEvent event;
        std::uint32_t partition, left;  // bit n: vCPU n has not got it yet
    };
    // GICD_SGIR (IHI 0048B, 4.3.15): to those of a list, to all others, or to the sender.
    void sent(const TraceEvent& event) {
        const auto held = held_.find(event.cpu);
        if (held == held_.end() || event.b >= 32) return;
        const std::uint32_t filter = event.a >> 24 & 3u, list = event.a >> 16 & 0xffu, own = 1u << event.b;
        const std::uint32_t to = filter == 0 ? list : filter == 1 ? 0xffu & ~own : own;
        constexpr std::size_t most = 64;  // what never arrives is forgotten
        if (under_way_.size() == most) under_way_.erase(under_way_.begin());
        under_way_.push_back({event, held->second, to});
    }
    void injected(const TraceEvent& event) {
        const auto held = held_.find(event.cpu);
        if (held == held_.end() || event.a >= 16 || event.b >= 32) return;
        for (auto one = under_way_.begin(); one != under_way_.end(); ++one) {
            if (one->partition != held->second || (one->event.a & 0xfu) != event.a || (one->left >> event.b & 1u) == 0) continue;
            out_.arrows.push_back({one->event.cpu, event.cpu, one->event.ticks, event.ticks, fmt::format("SGI {}", event.a)});
            one->left &= ~(1u << event.b);
            if (one->left == 0) under_way_.erase(one);
            return;
        }
    }

    Timeline& out_;
    std::map<std::uint32_t, std::uint32_t> held_;  // of each CPU, whose vCPU
    std::vector<Sent> under_way_;
};

}  // namespace

Timeline timeline_of(const Plan& plan, const std::vector<TraceEvent>& events, std::uint64_t frequency) {
    Timeline out;
    if (events.empty()) return out;
    out.begin = events.front().ticks, out.end = events.back().ticks;
    std::map<std::uint32_t, std::vector<const TraceEvent*>> of_cpus;
    SgiFollower sgis{out};
    for (const TraceEvent& event : events) {
        of_cpus[event.cpu].push_back(&event);
        sgis.add(event);
    }
    for (const auto& [cpu, own] : of_cpus) {
        CpuFollower follower{plan, frequency, cpu, out};
        for (const TraceEvent* const event : own) follower.add(*event);
        follower.finish(out.end);
    }
    return out;
}

}  // namespace partita::tool
