/* One virtual CPU that shares its CPU with nobody: traps, its own interrupts, an assigned device. */
#include "bench.h"

#define REPETITIONS 100u
#define SGI_SELF(n) (2u << 24 | (n))
/* "operation NAME", then one repetition between the marks, then all of them. */
#define MEASURE(name, expression)                                                    \
    do {                                                                             \
        struct figures figures_ = {0};                                               \
        for (uint32_t n_ = 0; n_ < 4; ++n_) (void)(expression);                      \
        console_printf("operation %s\n", name);                                      \
        mark_begin();                                                                \
        (void)(expression);                                                          \
        mark_end();                                                                  \
        for (uint32_t n_ = 0; n_ < REPETITIONS; ++n_) record(&figures_, expression); \
        report(name, &figures_);                                                     \
    } while (0)

static uint32_t load(uint32_t address) {
    register uint32_t out __asm__("r4");
    return TIMED("ldr %[out], [%[in]]", address, out);
}
static uint32_t store(uint32_t address, uint32_t value) {
    register uint32_t out __asm__("r5");
    register uint32_t stored __asm__("r4") = value;
    __asm__ volatile("" : "+r"(stored));
    const uint32_t ticks = TIMED("str r4, [%[in]]", address, out);
    __asm__ volatile("" ::"r"(stored));
    (void)out;
    return ticks;
}
static uint32_t null_call(void) {
    uint64_t before, after;
    register uint32_t function __asm__("r0") = PSCI_VERSION;
    __asm__ volatile(".arch_extension virt\n\tmrrc p15, 1, %Q0, %R0, c14\n\thvc #0\n\tmrrc p15, 1, %Q1, %R1, c14"
                     : "=&r"(before), "=&r"(after), "+r"(function)
                     :
                     : "r1", "r2", "r3", "memory");
    return (uint32_t)(after - before) - 1;
}
static uint32_t actlr(void) {
    register uint32_t out __asm__("r4");
    return TIMED("mrc p15, 0, %[out], c1, c0, 1", 0, out);
}
static uint32_t physical_timer(void) {
    register uint32_t out __asm__("r4");
    return TIMED("mrc p15, 0, %[out], c14, c2, 1", 0, out);
}

/* From `from` to the ISR's entry of the next interrupt. */
static uint32_t until_taken(uint32_t seen, uint64_t from) {
    while (taken[0].count == seen) {
    }
    return (uint32_t)(taken[0].entered - from);
}
static uint32_t sgi(void) {
    const uint32_t seen = taken[0].count;
    const uint64_t from = counter();
    REG32(GICD + 0xf00) = SGI_SELF(1);
    return until_taken(seen, from);
}
static uint32_t timer_fires(void) {
    const uint32_t seen = taken[0].count;
    const uint64_t at = counter() + 2000;
    set_compare(at);
    timer_control(1);
    return until_taken(seen, at);
}
static uint32_t sleep_for(uint32_t ticks) {
    const uint32_t seen = taken[0].count;
    const uint64_t at = counter() + ticks;
    interrupts_off();
    set_compare(at);
    timer_control(1);
    while (taken[0].count == seen) {
        __asm__ volatile("wfi" ::: "memory");
        interrupts_on();
        __asm__ volatile("isb");
        interrupts_off();
    }
    interrupts_on();
    return (uint32_t)(taken[0].entered - at);
}
static uint32_t alarm(void) {
    const uint32_t seen = taken[0].count, now = REG32(PL031 + 0x00);
    const uint64_t from = counter();
    REG32(PL031 + 0x04) = now; /* matches at once */
    return until_taken(seen, from);
}
static uint32_t enable_spi(void) {
    REG32(GICD + 0x180 + 8) = 1u << 0;
    return store(GICD + 0x100 + 8, 1u << 0);
}
static uint32_t characters(void) {
    static const char line[] = "a line of 64 characters, printed to count what one of them costs\n";
    const uint64_t from = counter();
    for (uint32_t n = 0; n < 64; ++n) {
        while (REG32(PL011 + 0x18) & 1u << 5) {
        }
        REG32(PL011) = (uint8_t)line[n];
    }
    return (uint32_t)(counter() - from) / 64;
}
/* n SGIs that are all pending before the first is taken: until the last ISR's entry. */
static uint32_t burst(uint32_t n) {
    const uint32_t seen = taken[0].count;
    interrupts_off();
    const uint64_t from = counter();
    for (uint32_t id = 0; id < n; ++id) REG32(GICD + 0xf00) = SGI_SELF(id);
    interrupts_on();
    while (taken[0].count != seen + n) {
    }
    return (uint32_t)(taken[0].entered - from);
}

int main(void) {
    bench_interrupts_on();
    const int partita = hypervisor_version() != 0;
    if (partita) MEASURE("hvc_null", null_call());
    MEASURE("sysreg_read", actlr());
    MEASURE("cntp_read", physical_timer());
    MEASURE("mmio_gicd_read", load(GICD + 4));
    MEASURE("mmio_gicd_write", store(GICD + 0x104, 0));
    MEASURE("irq_enable", enable_spi());
    MEASURE("mmio_uart_read", load(PL011 + 0x18));
    MEASURE("sgi_self", sgi());
    MEASURE("sgi_overflow", (burst(16) - burst(4)) / 12);
    MEASURE("vtimer_isr", timer_fires());
    MEASURE("wfi_1ms", sleep_for(1000000));
    MEASURE("wfi_50us", sleep_for(50000));
    REG32(PL031 + 0x10) = 1;
    write8(GICD + 0x400 + 34, 0x80);
    write8(GICD + 0x800 + 34, 1);
    REG32(GICD + 0x104) = 1u << 2;
    MEASURE("device_read", load(PL031));
    MEASURE("device_write", store(PL031 + 0x1c, 0));
    MEASURE("spi_isr", alarm());
    MEASURE("uart_char", characters());
    console_printf("first instruction %llu\n", first_instruction);
    return 0;
}
