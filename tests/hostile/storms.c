/* Rows 1, 10 to 12, 22, 23: floods of what traps or takes long, with interrupts masked: set/way loops, TLB and instruction cache
 * invalidation, MMU and caches on and off, hypercalls, aborts, WFI and WFE, timers at the ends of time. The neighbours must not notice. */
#include "hostile.h"

static void touch(void* at) { REG32(at) = 1; }

static void set_way(void) {
    for (uint32_t way = 0; way < 4; ++way)
        for (uint32_t set = 0; set < 128; ++set) {
            const uint32_t value = way << 30 | set << 6;
            __asm__ volatile("mcr p15, 0, %0, c7, c14, 2\n\tmcr p15, 0, %0, c7, c10, 2" ::"r"(value) : "memory");
        }
}
static void invalidate(void) {
    for (uint32_t n = 0; n < 200; ++n)
        __asm__ volatile(
            "mcr p15, 0, %0, c8, c3, 0\n\tmcr p15, 0, %0, c8, c7, 0\n\tmcr p15, 0, %0, c7, c1, 0\n\tmcr p15, 0, %0, c7, c1, "
            "6\n\tdsb\n\tisb" ::"r"(0)
            : "memory");
}
static void caches(void) {
    for (uint32_t n = 0; n < 50; ++n) {
        uint32_t control;
        __asm__ volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(control));
        __asm__ volatile("dsb\n\tmcr p15, 0, %0, c1, c0, 0\n\tisb" ::"r"(control & ~(1u << 12 | 1u << 11)) : "memory");
        __asm__ volatile("mcr p15, 0, %0, c7, c5, 0\n\tdsb\n\tmcr p15, 0, %1, c1, c0, 0\n\tisb" ::"r"(0), "r"(control) : "memory");
    }
}
static void calls(void) {
    for (uint32_t n = 0; n < 2000; ++n) (void)hypercall(0x8600fff0u, n, n, n);
}
static void aborts(void) {
    for (uint32_t n = 0; n < 100; ++n) (void)guest_try(touch, (void*)(0x1c000000u + n * 0x1000u));
}
static void yields(void) {
    for (uint32_t n = 0; n < 500; ++n) {
        timer_set(timer_now() + 10); /* so that WFI ends */
        wait_for_interrupt();
        __asm__ volatile("sev\n\twfe\n\tyield");
    }
}
static void timers(void) {
    static const uint64_t times[] = {0, 1, 0x7fffffffffffffffu, 0xffffffffffffffffu, 0xffffffff00000000u};
    for (uint32_t n = 0; n < 500; ++n) {
        const uint64_t at = times[n % 5];
        __asm__ volatile("mcrr p15, 3, %0, %1, c14\n\tmcr p15, 0, %2, c14, c3, 1" ::"r"((uint32_t)at), "r"((uint32_t)(at >> 32)), "r"(1));
        __asm__ volatile("mcrr p15, 2, %0, %1, c14\n\tmcr p15, 0, %2, c14, c2, 1" ::"r"((uint32_t)at), "r"((uint32_t)(at >> 32)),
                         "r"(n % 4));
        __asm__ volatile("mcr p15, 0, %0, c14, c1, 0" ::"r"(n & 3u)); /* CNTKCTL */
    }
    __asm__ volatile("mcr p15, 0, %0, c14, c2, 1\n\tmcr p15, 0, %0, c14, c3, 1" ::"r"(0));
}
/* Every page border of the map, and addresses that wrap. */
static void borders(void) {
    for (uint32_t page = 0; page < 0x400; ++page) {
        const uint32_t at = page << 22;
        if (at >= 0x40000000u && at < 0x40200000u) continue;
        if (at == 0x08000000u || at == 0x09000000u) continue;
        expect(guest_try(touch, (void*)at) == 4, "nothing is an abort", at);
    }
    expect(guest_try(touch, (void*)0xfffffffcu) == 4, "the last word", 0xfffffffcu);
    expect(guest_try(touch, (void*)0x40200000u) == 4, "behind the memory", 0x40200000u);
}

static void on_timer(uint32_t intid) {
    (void)intid;
    timer_stop();
}

int main(void) {
    interrupts_off();
    interrupts_init();
    interrupt_enable(TIMER_INTERRUPT, 0x80, on_timer); /* it wakes from WFI, and is never taken */
    void (*const storms[])(void) = {set_way, invalidate, caches, calls, aborts, yields, timers, borders};
    uint32_t count = 0;
    for (uint32_t round = 0; round < 10; ++round)
        for (uint32_t n = 0; n < sizeof storms / sizeof *storms; ++n, ++count) storms[n]();
    const uint64_t until = timer_now() + timer_frequency() / 10;
    while (timer_now() < until) { /* spins with interrupts masked */
    }
    return told("storms", count);
}
