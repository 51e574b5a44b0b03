#include "trace/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include "arch/syndrome.hpp"
#include "partita/trace.h"

namespace partita::tool {

namespace {

// A CPU's events, oldest first. Its ring has no head: where time runs backwards, the oldest record begins.
std::vector<TraceEvent> read_ring(std::span<const std::uint8_t> ring, std::uint32_t cpu) {
    std::vector<TraceEvent> out;
    for (std::size_t at = 0; at + sizeof(partita_trace_record) <= ring.size(); at += sizeof(partita_trace_record)) {
        partita_trace_record record{};
        std::memcpy(&record, ring.data() + at, sizeof record);
        const std::uint32_t kind = record.what >> 24;
        if (kind < PARTITA_TRACE_TRAP || kind > PARTITA_TRACE_WINDOW) continue;
        out.push_back({std::uint64_t{record.what & 0xffu} << 32 | record.time, cpu, kind, record.a, record.b});
    }
    // Times have 40 bits: what is behind by less than half of that is older, a larger distance is the counter's wrap.
    constexpr std::uint64_t half = std::uint64_t{1} << 39, all = (half << 1) - 1;
    const auto older = [](const auto& x, const auto& y) { return x.ticks != y.ticks && ((x.ticks - y.ticks) & all) < half; };
    const auto oldest = std::adjacent_find(out.begin(), out.end(), older);
    if (oldest != out.end()) std::rotate(out.begin(), oldest + 1, out.end());
    for (std::size_t n = 1; n < out.size(); ++n)
        if (out[n].ticks < out[n - 1].ticks) out[n].ticks += all + 1;
    for (std::size_t n = 0; n < out.size(); ++n) out[n].order = n;
    return out;
}

std::string cause_of(std::uint32_t hsr) {
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

// Writes the events of one CPU: what ran, by a slice from each resume to the next exit, and what the hypervisor did between.
class CpuWriter {
public:
    CpuWriter(const Plan& plan, std::uint64_t frequency, std::uint64_t origin, std::uint32_t cpu, std::string& out)
        : plan_(plan), microseconds_(1e6 / static_cast<double>(frequency)), origin_(origin), cpu_(cpu), out_(out) {}

    void add(const TraceEvent& event) {
        switch (event.kind) {
            case PARTITA_TRACE_TRAP: return begin(event, "hypervisor", cause_of(event.a), event.b);
            case PARTITA_TRACE_INTERRUPT: return begin(event, "hypervisor", fmt::format("interrupt {}", event.a), event.b);
            case PARTITA_TRACE_RESUME: return begin(event, "guest", name_of(event.a), event.b);
            case PARTITA_TRACE_IDLE: return begin(event, "idle", "idle", 0);
            case PARTITA_TRACE_WAKE: return begin(event, "hypervisor", "wake", 0);
            case PARTITA_TRACE_SWITCH: return mark(event, "switch to " + name_of(event.a));
            case PARTITA_TRACE_INJECT: return mark(event, fmt::format("inject {} to vcpu{}", event.a, event.b));
            case PARTITA_TRACE_SGI: return mark(event, fmt::format("SGI {} from vcpu{}", event.a & 0xfu, event.b));
            case PARTITA_TRACE_FAULT: return mark(event, fmt::format("fault at {:#x}, IPA {:#x}", event.a, std::uint64_t{event.b} << 8));
            case PARTITA_TRACE_WINDOW:
                return mark(event, fmt::format("window {} of schedule {}, {} ticks late", event.b & 0x00ff'ffffu, event.b >> 24, event.a));
            default: return;
        }
    }
    void finish(std::uint64_t ticks) { end(ticks); }

private:
    [[nodiscard]] double time(std::uint64_t ticks) const { return static_cast<double>(ticks - origin_) * microseconds_; }
    [[nodiscard]] std::string name_of(std::uint32_t vcpu) const {
        const std::uint32_t partition = vcpu >> 8;
        const std::string name =
            partition < plan_.partitions.size() ? plan_.partitions[partition].name : fmt::format("partition {}", partition);
        return fmt::format("{}/vcpu{}", name, vcpu & 0xffu);
    }
    void line(const std::string& text) { out_ += (out_.empty() ? "" : ",\n") + text; }
    void begin(const TraceEvent& event, const char* category, std::string name, std::uint32_t pc) {
        end(event.ticks);
        category_ = category, name_ = std::move(name), pc_ = pc, since_ = event.ticks;
    }
    void end(std::uint64_t ticks) {
        if (name_.empty()) return;
        const std::string pc = pc_ != 0 ? fmt::format(R"(,"args":{{"pc":"{:#010x}"}})", pc_) : "";
        line(fmt::format(R"({{"ph":"X","pid":1,"tid":{},"cat":"{}","name":"{}","ts":{:.3f},"dur":{:.3f}{}}})", cpu_, category_, name_,
                         time(since_), time(ticks) - time(since_), pc));
        name_.clear();
    }
    void mark(const TraceEvent& event, const std::string& name) {
        line(fmt::format(R"({{"ph":"i","s":"t","pid":1,"tid":{},"name":"{}","ts":{:.3f}}})", cpu_, name, time(event.ticks)));
    }

    const Plan& plan_;
    double microseconds_;
    std::uint64_t origin_;
    std::uint32_t cpu_;
    std::string& out_;
    std::string category_, name_;
    std::uint32_t pc_ = 0;
    std::uint64_t since_ = 0;
};

}  // namespace

std::vector<TraceEvent> read_trace(std::span<const std::uint8_t> rings, std::uint64_t size) {
    std::vector<TraceEvent> out;
    for (std::uint32_t cpu = 0; size != 0 && (cpu + 1) * size <= rings.size(); ++cpu) {
        const auto events = read_ring(rings.subspan(static_cast<std::size_t>(cpu * size), static_cast<std::size_t>(size)), cpu);
        out.insert(out.end(), events.begin(), events.end());
    }
    std::sort(out.begin(), out.end(),
              [](const auto& x, const auto& y) { return std::tie(x.ticks, x.cpu, x.order) < std::tie(y.ticks, y.cpu, y.order); });
    return out;
}

std::string trace_as_json(const Plan& plan, const std::vector<TraceEvent>& events, std::uint64_t frequency) {
    std::string out;
    if (!events.empty()) {
        std::map<std::uint32_t, CpuWriter> writers;
        for (const TraceEvent& event : events)
            writers.try_emplace(event.cpu, plan, frequency, events.front().ticks, event.cpu, out).first->second.add(event);
        for (auto& [cpu, writer] : writers) writer.finish(events.back().ticks);
    }
    std::string names = R"({"ph":"M","pid":1,"name":"process_name","args":{"name":"Partita"}})";
    for (std::size_t cpu = 0; cpu < plan.board->cpus.size(); ++cpu)
        names += fmt::format(
            ",\n"
            R"({{"ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":"CPU {}"}}}})",
            cpu, cpu);
    return fmt::format("{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{}{}{}\n]}}\n", names, out.empty() ? "" : ",\n", out);
}

}  // namespace partita::tool
