/* Takes its CPU a hundred times a second, for 40 000 instructions: what a trace beside it is to show. */
#include "partita/guest/guest.h"

int main(void) {
    interrupts_init();
    uint64_t next = timer_now();
    for (;;) {
        next += timer_frequency() / 100;
        timer_sleep_until(next);
        uint32_t left = 20000; /* of two instructions each */
        __asm__ volatile("1: subs %0, %0, #1\n\tbne 1b" : "+r"(left)::"cc");
    }
}
