// A control loop off the virtual timer, of PERIOD_US microseconds, that works for about WORK_US in each. Every REPORT cycles it says how
// late it woke at worst, and how long after its release it was done at worst: what `partita check` gives a bound for.
#include <cstdint>

#include "partita/guest/guest.h"

namespace {

constexpr std::uint32_t reports_until_ok = 3;  // what the example promises, seen for so long

[[nodiscard]] std::uint32_t microseconds(std::uint64_t ticks) {
    return static_cast<std::uint32_t>((ticks * 1'000'000u + timer_frequency() - 1) / timer_frequency());
}

// The work: a filter over a fixed number of samples. Its time is that of its instructions, whatever the clock says meanwhile.
std::uint32_t filter(std::uint32_t state) {
    for (std::uint32_t n = 0; n < SAMPLES; ++n) state = state * 1664525u + 1013904223u;
    return state;
}

}  // namespace

int main() {
    const std::uint64_t period = std::uint64_t{timer_frequency()} * PERIOD_US / 1'000'000u;
    interrupts_init();
    volatile std::uint32_t state = 1;
    std::uint32_t missed = 0;
    std::uint64_t release = timer_now() + period;
    for (std::uint32_t report = 1;; ++report) {
        std::uint64_t latest = 0, longest = 0;
        for (std::uint32_t cycle = 0; cycle < REPORT; ++cycle) {
            timer_sleep_until(release);
            const std::uint64_t late = timer_now() - release;
            if (late > latest) latest = late;
            state = filter(state);
            const std::uint64_t response = timer_now() - release;
            if (response > longest) longest = response;
            if (microseconds(response) > DEADLINE_US) ++missed;
            release += period;
            while (timer_now() > release) release += period;
        }
        console_printf("cycles %u missed %u: woke at most %u us late, done at most %u us after the release, deadline %u us\n",
                       static_cast<unsigned>(report * REPORT), static_cast<unsigned>(missed), static_cast<unsigned>(microseconds(latest)),
                       static_cast<unsigned>(microseconds(longest)), static_cast<unsigned>(DEADLINE_US));
        if (report == reports_until_ok) console_write(missed == 0 ? "example: ok\n" : "example: FAILED: a deadline was missed\n");
    }
}
