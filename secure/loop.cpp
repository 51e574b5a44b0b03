#include "loop.hpp"

#include <cstdint>

#include "console.hpp"
#include "flash.hpp"
#include "partita/guest/guest.h"
#include "partita/guest/plant.hpp"
#include "watchdog.hpp"

namespace partita::secure {

namespace {

constexpr std::uint32_t rate = 1000;
constexpr std::uint32_t secure_timer = 29;

// What a second had: lateness is from the deadline to the interrupt's handler, in ticks.
struct Second {
    std::uint32_t cycles, missed, worst, sum;
};

std::uint64_t deadline;
std::uint32_t period, total, total_missed;
Second second;
guest::Plant plant;

[[nodiscard]] unsigned nanoseconds(std::uint32_t ticks) { return static_cast<unsigned>(ticks * 1'000'000'000ull / timer_frequency()); }

void tell() {
    total += second.cycles;
    total_missed += second.missed;
    console_printf("secure: cycles %u missed %u worst %u ns mean %u ns\n", static_cast<unsigned>(total),
                   static_cast<unsigned>(total_missed), nanoseconds(second.worst), nanoseconds(second.sum / rate));
    second = {};
}

void on_tick(std::uint32_t) {
    const auto late = static_cast<std::uint32_t>(timer_now() - deadline);
    if (late > second.worst) second.worst = late;
    second.sum += late;
    plant.step();
    ++second.cycles;
    for (deadline += period; timer_now() > deadline; deadline += period) ++second.missed;
    timer_set(deadline);
    drain_console();
    tick_watch();
    tick_flash();
    if (second.cycles == rate) tell();
}

}  // namespace

void begin_loop() {
    period = timer_frequency() / rate;
    deadline = timer_now() + period;
    interrupt_enable(secure_timer, 0, on_tick);
    timer_set(deadline);
    console_printf("secure: a loop of %u Hz\n", static_cast<unsigned>(rate));
}

}  // namespace partita::secure
