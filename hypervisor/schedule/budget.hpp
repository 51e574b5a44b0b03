// A budget of processor time: so much in each period, and no more while others want the CPU (Strosnider, Lehoczky and Sha's
// deferrable server). A period begins with the first use after the last one has ended, so nothing is to be done while nobody
// draws on it. In any t ticks an account gives at most budget * ceil((t + period - budget) / period).
#pragma once

#include <algorithm>
#include <cstdint>

#include "machine/timer.hpp"

namespace partita {

struct Account {
    timer::Ticks budget = 0, period = 0;
    std::int64_t left = 0;      // below 0: overrun, which the next period pays
    timer::Ticks renews = 0;    // when the period ends
    std::uint32_t members = 0;  // Vcpu::bit of each that draws on it, all on one CPU

    // Somebody begins to draw on it.
    void open(timer::Ticks now) {
        if (now < renews) return;
        renew();
        renews = now + period;
    }
    // `used` ticks up to now were drawn. What was used behind the end of the period is the next one's.
    void draw(timer::Ticks used, timer::Ticks now) {
        if (now < renews) {
            left -= static_cast<std::int64_t>(used);
            return;
        }
        const timer::Ticks next = std::min(now - renews, used);
        left -= static_cast<std::int64_t>(used - next);
        renew();
        left -= static_cast<std::int64_t>(next);
        renews += period;
    }
    // It was spent, and its period is over.
    void reopen() {
        renew();
        renews += period;
    }
    [[nodiscard]] bool spent() const { return left <= 0; }
    // When it is spent if it is drawn on from `since` on without a break.
    [[nodiscard]] timer::Ticks spent_at(timer::Ticks since) const {
        const timer::Ticks end = since + static_cast<timer::Ticks>(left);
        return end < renews ? end : renews + budget;
    }

private:
    void renew() { left = std::min<std::int64_t>(left, 0) + static_cast<std::int64_t>(budget); }
};

}  // namespace partita
