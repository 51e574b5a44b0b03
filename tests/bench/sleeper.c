/* Sleeps and wakes beside another partition that never does (spinner.c), and tells when its last and first instructions were. */
#include "bench.h"

#ifdef HOGS
#define ROUNDS 2000u /* the worst is looked for: the phase moves, so that the longest path is met */
#define PHASE(n) ((n) * 977u % 10007u)
#else
#define ROUNDS 64u
#define PHASE(n) 0u
#endif
static struct {
    uint64_t out, due, in;
} rounds[ROUNDS];

int main(void) {
    bench_interrupts_on();
#ifdef CROWD
    const uint32_t until_others_run = 30000000;
#else
    const uint32_t until_others_run = 20000000;
#endif
    set_compare(counter() + until_others_run); /* until the other one has been loaded, and runs */
    timer_control(1);
    while (taken[0].count == 0) wait_for_interrupt();
    struct figures woken = {0};
    for (uint32_t n = 0; n < ROUNDS; ++n) {
        const uint32_t seen = taken[0].count;
        if (n == 8) console_printf("operation wfi_shared\n");
        if (n == 8) mark_begin();
        interrupts_off();
        rounds[n].due = counter() + 50000 + PHASE(n);
        set_compare(rounds[n].due);
        timer_control(1);
        while (taken[0].count == seen) {
            use_vfp();
            rounds[n].out = counter();
            __asm__ volatile("wfi" ::: "memory");
            interrupts_on();
            __asm__ volatile("isb");
            interrupts_off();
        }
        interrupts_on();
        if (n == 8) mark_end();
        rounds[n].in = taken[0].entered;
        if (n > 8) record(&woken, (uint32_t)(rounds[n].in - rounds[n].due));
    }
    report("wfi_shared", &woken);
    for (uint32_t n = 9; n < 64; ++n) console_printf("out %llu\n", rounds[n].out);
    console_printf("sleeper done\n");
    return 0;
}
