/* As many virtual CPUs as the partition has: each runs whenever it may, and nobody sleeps. */
#include "bench.h"

static volatile uint32_t started;
extern void bench_secondary(void);
void secondary_main(void) __attribute__((noreturn));
void secondary_main(void) {
    started = started + 1;
    for (;;) yield();
}

int main(void) {
    for (uint32_t n = 1; n < 8; ++n) {
        const uint32_t before = started;
        if (cpu_on(n, bench_secondary, 0) != 0) break; /* it has no more; they share a stack while they start */
        while (started == before) yield();
    }
    console_printf("crowd ready\n");
    for (;;) yield();
}
