/* Two virtual CPUs: software-generated interrupts from the first to the second, which runs or sleeps. */
#include "bench.h"

#define REPETITIONS 100u

enum mode { spinning, sleeping, finished };
static volatile enum mode mode;
static volatile uint32_t ready;
extern void bench_secondary(void);
void secondary_main(void) __attribute__((noreturn));

void secondary_main(void) {
    bench_interrupts_on();
    ready = 1;
    while (mode != finished) {
        if (mode == sleeping)
            __asm__ volatile("wfi" ::: "memory");
        else
            yield();
    }
    hypercall(PSCI_CPU_OFF, 0, 0, 0);
    for (;;) {
    }
}

/* Lets the other CPU settle: under -icount one runs at a time, until it yields. */
static void settle(void) {
    for (uint32_t n = 0; n < 200; ++n) yield();
}
static uint32_t send(void) {
    const uint32_t seen = taken[1].count;
    settle();
    const uint64_t from = counter();
    REG32(GICD + 0xf00) = 2u << 16 | 1;
    while (taken[1].count == seen) yield();
    return (uint32_t)(taken[1].entered - from);
}
#ifdef PARKED
/* The device's interrupt, which the second CPU takes. */
static uint32_t ring(void) {
    const uint32_t seen = taken[1].count;
    settle();
    const uint32_t now = REG32(PL031 + 0x00);
    const uint64_t from = counter();
    REG32(PL031 + 0x04) = now; /* matches at once */
    while (taken[1].count == seen) yield();
    return (uint32_t)(taken[1].entered - from);
}
#endif
static void measure(const char* name, uint32_t (*once)(void)) {
    struct figures figures = {0};
    for (uint32_t n = 0; n < 4; ++n) (void)once();
    console_printf("operation %s\n", name);
    mark_begin();
    (void)once();
    mark_end();
    for (uint32_t n = 0; n < REPETITIONS; ++n) record(&figures, once());
    report(name, &figures);
}

int main(void) {
    bench_interrupts_on();
    if (cpu_on(1, bench_secondary, 0) != 0) console_printf("no second CPU\n");
    while (!ready) yield();
#ifdef PARKED
    mode = sleeping;
    measure("ipi_parked", send);
    REG32(PL031 + 0x10) = 1;
    write8(GICD + 0x400 + 34, 0x80);
    write8(GICD + 0x800 + 34, 2);
    REG32(GICD + 0x104) = 1u << 2;
    measure("preempt_irq", ring);
#else
    measure("ipi_running", send);
    mode = sleeping;
    measure("ipi_wfi", send);
#endif
    mode = finished;
    REG32(GICD + 0xf00) = 2u << 16 | 1;
    settle();
    console_printf("ipi done\n");
    return 0;
}
