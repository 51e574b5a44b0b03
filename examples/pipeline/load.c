/* Made at run time: keeps its processor busy, and tells once a second how much it did. Nothing of the pipeline is to notice. */
#include "partita/guest/guest.h"

static uint32_t round_of_work(uint32_t value) {
    for (int n = 0; n < 10000; ++n) value = value * 1664525u + 1013904223u;
    return value;
}

int main(void) {
    const uint64_t second = timer_frequency();
    uint32_t value = life_number(), rounds = 0;
    console_printf("load: life %u\n", (unsigned)life_number());
    for (uint64_t next = timer_now() + second;; ++rounds) {
        value = round_of_work(value);
        if (timer_now() < next) continue;
        console_printf("load: %u rounds, at %x\n", (unsigned)rounds, (unsigned)value);
        next += second;
        rounds = 0;
    }
}
