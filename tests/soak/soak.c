/* A life among thousands: looks whether anything of the one before is left, leaves as much as it can behind, and ends in one of four
 * ways. */
#include "partita/guest/guest.h"

#define GICD(offset) (*(volatile uint32_t*)(0x08000000u + (offset)))
#define GICC(offset) (*(volatile uint32_t*)(0x08010000u + (offset)))
#define WATCHDOG(offset) (*(volatile uint32_t*)(0x09080000u + (offset)))
#define SCRATCH ((volatile uint32_t*)0x40100000u)
#define SCRATCH_WORDS 0x4000u
#define PATTERN 0xdeadbeefu
#define REPORT 100u

static unsigned failures;
static uint32_t life;

static void expect(bool good, const char* what) {
    if (good) return;
    console_printf("WRONG in life %u: %s\n", (unsigned)life, what);
    ++failures;
}

/* How a life ends: each way again and again, the watchdog less often since it takes its time. */
enum end { END_RESET, END_EXIT, END_FAULT, END_WATCHDOG };
static enum end end_of(uint32_t number) { return number % 32 == 31 ? END_WATCHDOG : (enum end)(number % 3); }

static uint32_t reason_of(enum end end) {
    switch (end) {
        case END_RESET: return PARTITA_RESET_GUEST;
        case END_EXIT: return PARTITA_RESET_EXIT;
        case END_FAULT: return PARTITA_RESET_FAULT;
        case END_WATCHDOG: return PARTITA_RESET_WATCHDOG;
    }
    return 0;
}

static uint32_t vfp_or(void) {
    uint32_t low, high;
    __asm__ volatile(
        ".fpu neon\n\t"
        "vorr q8, q8, q9\n\tvorr q10, q10, q11\n\tvorr q12, q12, q13\n\tvorr q14, q14, q15\n\t"
        "vorr q8, q8, q10\n\tvorr q12, q12, q14\n\tvorr q8, q8, q12\n\tvorr d16, d16, d17\n\t"
        "vmov %0, %1, d16"
        : "=r"(low), "=r"(high));
    return low | high;
}

static void look(void) {
    uint32_t dirty = 0, value;
    for (uint32_t n = 0; n < SCRATCH_WORDS; ++n) dirty |= SCRATCH[n];
    expect(dirty == 0, "memory of an earlier life");
    for (uint32_t n = 0; n < 3; ++n) {
        expect(GICD(0x200 + n * 4) == 0, "an interrupt is pending");
        expect(GICD(0x300 + n * 4) == 0, "an interrupt is active");
        expect((GICD(0x100 + n * 4) & (n == 0 ? 0xffff0000u : ~0u)) == 0, "an interrupt is enabled");
    }
    expect((GICC(0x18) & 0x3ffu) == 1023, "the CPU interface has something pending");
    __asm__ volatile("mrc p15, 0, %0, c14, c3, 1" : "=r"(value));
    expect((value & 1) == 0, "the virtual timer runs");
    __asm__ volatile("mrc p15, 0, %0, c14, c2, 1" : "=r"(value));
    expect((value & 1) == 0, "the physical timer runs");
    __asm__ volatile("mrc p15, 0, %0, c13, c0, 2" : "=r"(value));
    expect(value == 0, "TPIDRURW");
    __asm__ volatile("mrc p15, 0, %0, c13, c0, 4" : "=r"(value));
    expect(value == 0, "TPIDRPRW");
    expect(vfp_or() == 0, "VFP registers");
    expect(WATCHDOG(0x000) == ~0u, "the watchdog's load value");
    if (life > 1) expect(life_reason() == reason_of(end_of(life - 1)), "the reason that the device tree tells");
}

static void leave_traces(void) {
    for (uint32_t n = 0; n < SCRATCH_WORDS; ++n) SCRATCH[n] = PATTERN;
    __asm__ volatile("mcr p15, 0, %0, c13, c0, 2\n\tmcr p15, 0, %0, c13, c0, 4" ::"r"(PATTERN));
    __asm__ volatile(".fpu neon\n\tvmov d16, %0, %0\n\tvmov d31, %0, %0" ::"r"(PATTERN));
    GICD(0x000) = 1;
    GICC(0x000) = 1;
    GICC(0x004) = 0xff;
    GICD(0x100) = ~0u;
    GICD(0x104) = ~0u;
    GICD(0x108) = ~0u;
    GICD(0xf00) = 2u << 24 | 3;
    (void)GICC(0x00c); /* active, and never ended */
    GICD(0xf00) = 2u << 24 | 4;
    GICD(0x204) = 0x00ff0000;
    GICD(0x304) = 0x0000ff00;
    timer_set(timer_now() + 1);
    WATCHDOG(0x000) = 24000; /* a millisecond, and one more */
    WATCHDOG(0x008) = 3;
}

int main(void) {
    life = life_number();
    look();
    if (life % REPORT == 0 || failures != 0) console_printf("life %u: %s\n", (unsigned)life, failures == 0 ? "clean" : "WRONG");
    leave_traces();
    switch (end_of(life)) {
        case END_RESET: restart();
        case END_EXIT: return 0;
        case END_FAULT: *(volatile uint32_t*)0x1c0f0000 = 1; break;
        case END_WATCHDOG: break;
    }
    for (;;) {
    }
}
