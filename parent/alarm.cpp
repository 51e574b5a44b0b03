#include "alarm.hpp"

#include "partita/guest/guest.h"

namespace partita::parent {

namespace {

constinit std::uint64_t next = 0;  // 0: none

void rang(std::uint32_t) {
    timer_stop();
    next = 0;
}

}  // namespace

// With interrupts masked.
void wake_at(std::uint64_t time) {
    if (next != 0 && next <= time) return;
    if (next == 0) interrupt_enable(TIMER_INTERRUPT, 0x80, rang);
    next = time;
    timer_set(time);
}

}  // namespace partita::parent
