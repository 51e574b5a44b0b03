#include "trace/page.hpp"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "trace/page_template.hpp"
#include "trace/timeline.hpp"

namespace partita::tool {

using nlohmann::json;

namespace {

class PageWriter {
public:
    PageWriter(const Plan& plan, const Timeline& timeline, std::uint64_t frequency)
        : plan_(plan), timeline_(timeline), nanoseconds_(1e9 / static_cast<double>(frequency)) {}

    // As page.html reads it.
    [[nodiscard]] json data() {
        json out;
        for (const PlannedPartition& partition : plan_.partitions) out["partitions"].push_back(partition.name);
        out["cpus"] = json::array();
        for (std::size_t cpu = 0; cpu < plan_.board->cpus.size(); ++cpu) out["cpus"].push_back(json::array());
        for (const TraceSlice& slice : timeline_.slices) {
            json& cpu = out["cpus"].at(slice.cpu);
            const std::int64_t begin = time(slice.begin);
            for (const std::int64_t value : {begin, time(slice.end) - begin, static_cast<std::int64_t>(slice.kind), number(slice.name),
                                             static_cast<std::int64_t>(slice.pc)})
                cpu.push_back(value);
        }
        out["marks"] = out["windows"] = out["arrows"] = json::array();
        for (const TraceMark& mark : timeline_.marks)
            out["marks"].push_back({time(mark.ticks), mark.cpu, static_cast<int>(mark.kind), mark.name, length(mark.late)});
        for (const TraceWindow& window : timeline_.windows)
            out["windows"].push_back({window.cpu, time(window.begin), time(window.end), window.partitions});
        for (const TraceArrow& arrow : timeline_.arrows)
            out["arrows"].push_back({time(arrow.from), arrow.from_cpu, time(arrow.to), arrow.to_cpu, arrow.name});
        out["end"] = time(timeline_.end);
        out["names"] = names_;
        return out;
    }

private:
    [[nodiscard]] std::int64_t length(std::uint64_t ticks) const { return std::llround(static_cast<double>(ticks) * nanoseconds_); }
    // A window can have begun before the first event.
    [[nodiscard]] std::int64_t time(std::uint64_t ticks) const {
        return ticks < timeline_.begin ? -length(timeline_.begin - ticks) : length(ticks - timeline_.begin);
    }
    [[nodiscard]] std::int64_t number(const std::string& name) {
        const auto [at, added] = numbers_.try_emplace(name, static_cast<std::int64_t>(names_.size()));
        if (added) names_.push_back(name);
        return at->second;
    }

    const Plan& plan_;
    const Timeline& timeline_;
    double nanoseconds_;
    std::map<std::string, std::int64_t> numbers_;
    json names_ = json::array();
};

}  // namespace

std::string trace_as_page(const Plan& plan, const std::vector<TraceEvent>& events, std::uint64_t frequency, const std::string& title) {
    std::vector<TraceEvent> known;  // a CPU that the board lacks is a record that is none
    for (const TraceEvent& event : events)
        if (event.cpu < plan.board->cpus.size()) known.push_back(event);
    const Timeline timeline = timeline_of(plan, known, frequency);
    json data = PageWriter{plan, timeline, frequency}.data();
    data["title"] = title;
    data["events"] = known.size();
    std::string text = data.dump(-1, ' ', false, json::error_handler_t::replace);
    // Nothing in it ends the element that it stands in.
    for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at)) text.replace(at, 1, "\\u003c");
    std::string out{page_template};
    constexpr std::string_view place = "@DATA@";
    return out.replace(out.find(place), place.size(), text);
}

}  // namespace partita::tool
