// What the flight recorder's events mean: what ran on which CPU and when, and what happened at one moment. Each picture of a trace is drawn
// from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "trace/trace.hpp"

namespace partita::tool {

// From one event to the next of its CPU.
struct TraceSlice {
    enum class Kind : std::uint8_t { guest, hypervisor, idle };

    std::uint32_t cpu = 0;
    Kind kind = Kind::idle;
    std::string name;                  // of the vCPU; or why the hypervisor was entered
    std::uint64_t begin = 0, end = 0;  // ticks
    std::uint32_t pc = 0;              // 0: it has none
};

struct TraceMark {
    enum class Kind : std::uint8_t { change, injection, sgi, fault, window };

    std::uint32_t cpu = 0;
    Kind kind = Kind::change;
    std::string name;
    std::uint64_t ticks = 0;
    std::uint64_t late = 0;  // ticks, of a window
};

// From where an SGI was sent to where it was put into a list register.
struct TraceArrow {
    std::uint32_t from_cpu = 0, to_cpu = 0;
    std::uint64_t from = 0, to = 0;  // ticks
    std::string name;
};

// A window that began, as it is described.
struct TraceWindow {
    std::uint32_t cpu = 0;
    std::uint64_t begin = 0, end = 0;  // ticks
    std::uint32_t partitions = 0;      // bit n: partition n
};

// Of each CPU in the order of time; the CPUs one behind the other.
struct Timeline {
    std::uint64_t begin = 0, end = 0;  // ticks
    std::vector<TraceSlice> slices;
    std::vector<TraceMark> marks;
    std::vector<TraceArrow> arrows;
    std::vector<TraceWindow> windows;
};

// events: as read_trace() gives them. frequency: ticks in a second.
[[nodiscard]] Timeline timeline_of(const Plan& plan, const std::vector<TraceEvent>& events, std::uint64_t frequency);

}  // namespace partita::tool
