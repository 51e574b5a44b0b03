// Major frames: each CPU's is cut into windows, all CPUs' frames begin at the same ticks, and a change of schedule takes effect on all
// of them at the same frame.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "machine/timer.hpp"
#include "partita/system_image.h"

namespace partita {

struct Cpu;

// The windows of a frame lie behind each other in memory as they do in time.
struct Window {
    timer::Ticks length = 0;
    std::uint32_t inside = 0;  // Vcpu::bit of each that may run
    bool last = false;         // of its frame
};
static_assert(sizeof(Window) == PARTITA_WINDOW_SIZE);

// Where a CPU is in its frames. One that has no windows has one without end.
struct FramePosition {
    std::array<const Window*, PARTITA_MAX_SCHEDULES> first{};
    const Window* window = nullptr;
    timer::Ticks end = 0;     // of the window; begin_frames() sets it
    timer::Ticks late = 0;    // how late the window's begin was seen
    std::uint32_t frame = 0;  // its number: the same on all CPUs
    std::uint32_t schedule = 0;
    std::uint32_t entered = 0;  // windows so far
    bool leads = false;         // this CPU says when a schedule changes
};

// What the CPUs have agreed on. Any CPU may want a change; at the begin of a frame the leading one tells the others that it comes
// with the next. A CPU that sees the end of a frame late still finds what was in force before.
class ScheduleChange {
public:
    void want(std::uint32_t schedule) { wanted_.store(schedule, std::memory_order_relaxed); }
    [[nodiscard]] std::uint32_t wanted() const { return wanted_.load(std::memory_order_relaxed); }
    // The schedule of frame `frame`.
    [[nodiscard]] std::uint32_t in_force(std::uint32_t frame) const;
    // At the begin of each frame, on the leading CPU.
    void lead(std::uint32_t frame, std::uint32_t schedule);

private:
    std::atomic<std::uint32_t> wanted_{0};
    std::atomic<std::uint32_t> agreed_{0};  // bits 31-8: from this frame on, bits 3-0: this schedule, bits 7-4: and before it this one
};

// The frames of this CPU begin at `epoch`.
void begin_frames(FramePosition& position, timer::Ticks epoch);

// Goes on to the window of `now`: usually the next. Bounded by the time that has passed since the last one's end.
void advance(FramePosition& position, ScheduleChange& change, timer::Ticks now);

}  // namespace partita
