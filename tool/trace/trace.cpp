#include "trace/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "partita/trace.h"
#include "trace/timeline.hpp"

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

[[nodiscard]] const char* word(TraceSlice::Kind kind) {
    switch (kind) {
        case TraceSlice::Kind::guest: return "guest";
        case TraceSlice::Kind::hypervisor: return "hypervisor";
        default: return "idle";
    }
}

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
    const Timeline timeline = timeline_of(plan, events, frequency);
    const double microseconds = 1e6 / static_cast<double>(frequency);
    const auto time = [&](std::uint64_t ticks) { return static_cast<double>(ticks - timeline.begin) * microseconds; };
    std::string out = R"({"ph":"M","pid":1,"name":"process_name","args":{"name":"Partita"}})";
    for (std::size_t cpu = 0; cpu < plan.board->cpus.size(); ++cpu)
        out += fmt::format(
            ",\n"
            R"({{"ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":"CPU {}"}}}})",
            cpu, cpu);
    for (const TraceSlice& slice : timeline.slices) {
        const std::string pc = slice.pc != 0 ? fmt::format(R"(,"args":{{"pc":"{:#010x}"}})", slice.pc) : "";
        out += fmt::format(
            ",\n"
            R"({{"ph":"X","pid":1,"tid":{},"cat":"{}","name":"{}","ts":{:.3f},"dur":{:.3f}{}}})",
            slice.cpu, word(slice.kind), slice.name, time(slice.begin), time(slice.end) - time(slice.begin), pc);
    }
    for (const TraceMark& mark : timeline.marks)
        out += fmt::format(
            ",\n"
            R"({{"ph":"i","s":"t","pid":1,"tid":{},"name":"{}","ts":{:.3f}}})",
            mark.cpu, mark.name, time(mark.ticks));
    for (std::size_t n = 0; n < timeline.arrows.size(); ++n) {
        const TraceArrow& arrow = timeline.arrows[n];
        for (const auto& [phase, cpu, ticks] :
             {std::tuple{"\"s\"", arrow.from_cpu, arrow.from}, {"\"f\",\"bp\":\"e\"", arrow.to_cpu, arrow.to}})
            out += fmt::format(
                ",\n"
                R"({{"ph":{},"id":{},"pid":1,"tid":{},"cat":"sgi","name":"{}","ts":{:.3f}}})",
                phase, n, cpu, arrow.name, time(ticks));
    }
    return fmt::format("{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{}\n]}}\n", out);
}

}  // namespace partita::tool
