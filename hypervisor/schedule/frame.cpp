#include "schedule/frame.hpp"

#include "arch/bits.hpp"

namespace partita {

namespace {

using Since = Field<std::uint32_t, 31, 8>;
using Before = Field<std::uint32_t, 7, 4>;
using After = Field<std::uint32_t, 3, 0>;
constexpr std::uint32_t frame_mask = 0x00ff'ffff;
constexpr std::uint32_t far = 16;  // frames: no CPU is behind by more

// How many frames before `agreed` takes effect `frame` is; 0 if it has.
[[nodiscard]] std::uint32_t ahead(std::uint32_t agreed, std::uint32_t frame) {
    const std::uint32_t distance = (Since::get(agreed) - frame) & frame_mask;
    return distance < far ? distance : 0;
}

}  // namespace

std::uint32_t ScheduleChange::in_force(std::uint32_t frame) const {
    const std::uint32_t agreed = agreed_.load(std::memory_order_relaxed);
    return ahead(agreed, frame) != 0 ? Before::get(agreed) : After::get(agreed);
}

void ScheduleChange::lead(std::uint32_t frame, std::uint32_t schedule) {
    const std::uint32_t agreed = agreed_.load(std::memory_order_relaxed), next = wanted();
    if (next != After::get(agreed))
        agreed_.store(Since::make((frame + 1) & frame_mask) | Before::make(schedule) | After::make(next), std::memory_order_relaxed);
    else if (Before::get(agreed) != next && ((frame - Since::get(agreed)) & frame_mask) >= far)
        agreed_.store(Since::make(frame & frame_mask) | Before::make(next) | After::make(next), std::memory_order_relaxed);
}

void begin_frames(FramePosition& position, timer::Ticks epoch) {
    position.window = position.first[0];
    position.end = position.window != nullptr ? epoch + position.window->length : timer::never;
}

void advance(FramePosition& position, ScheduleChange& change, timer::Ticks now) {
    while (now >= position.end) {
        position.late = now - position.end;
        if (position.window->last) {
            ++position.frame;
            position.schedule = change.in_force(position.frame);
            if (position.leads) change.lead(position.frame, position.schedule);
            position.window = position.first[position.schedule];
        } else {
            ++position.window;
        }
        position.end += position.window->length;
        ++position.entered;
    }
}

}  // namespace partita
