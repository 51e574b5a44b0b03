// A control loop of 1 kHz off the virtual timer. Each second it says how many cycles were done, how many deadlines were
// missed, and how late it woke: worst and mean. A cycle misses its deadline when it wakes a whole period late.
#include <array>
#include <cstdint>

#include "partita/guest/guest.h"
#include "partita/guest/plant.hpp"

namespace {

constexpr std::uint32_t rate = 1000;           // cycles in a second
constexpr std::uint32_t seconds_until_ok = 5;  // what the example promises, seen for this long

struct Second {
    std::uint32_t cycles = 0, missed = 0;
    std::uint64_t worst = 0, sum = 0;  // lateness in ticks
};

[[nodiscard]] std::uint32_t nanoseconds(std::uint64_t ticks) {
    return static_cast<std::uint32_t>(ticks * 1'000'000'000u / timer_frequency());
}

}  // namespace

int main() {
    const std::uint32_t period = timer_frequency() / rate;
    console_printf("control: %u Hz, hypervisor version %u.%u\n", static_cast<unsigned>(rate),
                   static_cast<unsigned>(hypervisor_version() >> 16), static_cast<unsigned>(hypervisor_version() & 0xffff));
    interrupts_init();
    partita::guest::Plant plant;
    std::uint64_t deadline = timer_now() + period;
    std::uint32_t total = 0, total_missed = 0;
    for (std::uint32_t second = 1;; ++second) {
        Second count;
        while (count.cycles < rate) {
            timer_sleep_until(deadline);
            const std::uint64_t late = timer_now() - deadline;
            plant.step();
            ++count.cycles;
            count.sum += late;
            if (late > count.worst) count.worst = late;
            deadline += period;
            for (; timer_now() > deadline; deadline += period) ++count.missed;
        }
        total += count.cycles;
        total_missed += count.missed;
        console_printf("cycles %u missed %u worst %u ns mean %u ns\n", static_cast<unsigned>(total), static_cast<unsigned>(total_missed),
                       static_cast<unsigned>(nanoseconds(count.worst)), static_cast<unsigned>(nanoseconds(count.sum / rate)));
        if (second == seconds_until_ok)
            console_write(plant.settled() ? "example: ok\n" : "example: FAILED: the controlled position did not settle\n");
    }
}
