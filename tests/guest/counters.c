/* The performance counters of a partition that has them: nothing of an earlier life, they count, and their interrupt comes once. Then it
 * leaves them running and restarts, so that the next life would find what is left. */
#include "partita/guest/guest.h"

#define INTERRUPT 23u
#define CYCLES (1u << 31)
#define SET(register, value) __asm__ volatile("mcr p15, 0, %0, " register "\n\tisb" ::"r"(value))
static inline uint32_t get_id(void) {
    uint32_t value;
    __asm__ volatile("mrc p15, 0, %0, c0, c1, 2" : "=r"(value));
    return value;
}
#define GET(register)                                                 \
    ({                                                                \
        uint32_t value_;                                              \
        __asm__ volatile("mrc p15, 0, %0, " register : "=r"(value_)); \
        value_;                                                       \
    })
#define CONTROL "c9, c12, 0"
#define ENABLE_SET "c9, c12, 1"
#define OVERFLOW "c9, c12, 3"
#define CYCLE_COUNTER "c9, c13, 0"
#define USER_ENABLE "c9, c14, 0"
#define INTERRUPT_SET "c9, c14, 1"

static volatile unsigned taken;
static void on_overflow(uint32_t intid) {
    (void)intid;
    SET(OVERFLOW, CYCLES);
    ++taken;
}

static void fail(const char* what) {
    console_printf("counters: FAILED: %s\n", what);
    power_off();
}

int main(void) {
    if ((get_id() >> 24 & 0xf) == 0) fail("ID_DFR0 has none");
    if ((GET(CONTROL) >> 11 & 0x1f) == 0) fail("PMCR has no event counters");
    if ((GET(CONTROL) & 1) != 0 || GET(ENABLE_SET) != 0 || GET(INTERRUPT_SET) != 0 || GET(USER_ENABLE) != 0 || GET(OVERFLOW) != 0)
        fail("something of an earlier life");
    if (GET(CYCLE_COUNTER) != 0) fail("the cycle counter is not zero");
    interrupts_init();
    interrupt_enable(INTERRUPT, 0x80, on_overflow);
    interrupts_on();
    SET(ENABLE_SET, CYCLES);
    SET(CONTROL, 1u);
    const uint32_t before = GET(CYCLE_COUNTER);
    for (volatile unsigned n = 0; n < 1000; ++n) {
    }
    if (GET(CYCLE_COUNTER) == before) fail("the cycle counter stands still");
    SET(INTERRUPT_SET, CYCLES);
    SET(CYCLE_COUNTER, 0xfff00000u);
    const uint64_t limit = timer_now() + (uint64_t)timer_frequency() * 20;
    while (taken == 0 && timer_now() < limit) {
    }
    if (taken != 1) fail("no interrupt");
    for (volatile unsigned n = 0; n < 100000; ++n) {
    }
    if (taken != 1) fail("an interrupt that was ended came again");
    SET(USER_ENABLE, 1u);
    console_printf("counters: ok\n");
    restart();
}
