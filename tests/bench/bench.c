/* What all programs of the benchmark share. */
#include "bench.h"

extern const char bench_vectors[];
void bench_isr(uint64_t now);
/* Programs with a second CPU have their own. */
__attribute__((weak, noreturn)) void secondary_main(void) {
    for (;;) {
    }
}

struct taken taken[8];

static uint32_t cpu(void) {
    uint32_t mpidr;
    __asm__("mrc p15, 0, %0, c0, c0, 5" : "=r"(mpidr));
    return mpidr & 7u;
}

void bench_isr(uint64_t now) {
    const uint32_t iar = REG32(GICC + 0x0c), id = iar & 0x3ffu;
    if (id == TIMER_INTERRUPT) timer_control(0);
    if (id == 34) REG32(PL031 + 0x1c) = 1;
    REG32(GICC + 0x10) = iar;
    if (id >= 1020) return;
    struct taken* const mine = &taken[cpu()];
    mine->entered = now;
    mine->id = id;
    ++mine->count;
}

/* Until the board's UART has what was written so far: it is sent piece by piece, by interrupts that are not to be measured. */
static void quiet(void) {
    const uint64_t end = counter() + 3000000;
    while (counter() < end) yield();
}

void bench_interrupts_on(void) {
    quiet();
    __asm__ volatile("mcr p15, 0, %0, c12, c0, 0" ::"r"(bench_vectors));
    interrupts_init();
    for (uint32_t n = 0; n < 16; ++n) write8(GICD + 0x400 + n, 0x80);
    write8(GICD + 0x400 + TIMER_INTERRUPT, 0x80);
    REG32(GICD + 0x100) = 1u << TIMER_INTERRUPT | 0xffffu;
    interrupts_on();
}

void report(const char* name, const struct figures* figures) {
    console_printf("figure %s %u %u %u %u\n", name, (unsigned)figures->minimum, (unsigned)(figures->sum / figures->count),
                   (unsigned)figures->maximum, (unsigned)figures->count);
    quiet();
}
