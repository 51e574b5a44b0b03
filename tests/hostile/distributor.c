/* Rows 18 to 20: every offset of the distributor in every width, random values at random registers by the hundred thousand, and what lies
 * beside the two pages of the GIC. */
#include "hostile.h"

#define GICD 0x08000000u
#define GICC 0x08010000u

static void read_byte(void* at) { (void)REG8(at); }
static void read_half(void* at) { (void)REG16(at); }
static void read_word(void* at) { (void)REG32(at); }
static void write_word(void* at) { REG32(at) = 0xffffffffu; }

static uint32_t tried;

static void everywhere(void) {
    for (uint32_t offset = 0; offset < 0x1000; ++offset) {
        (void)guest_try(read_byte, (void*)(GICD + offset));
        (void)guest_try(read_half, (void*)(GICD + offset));
        (void)guest_try(read_word, (void*)(GICD + offset));
        tried += 3;
    }
}

static void at_random(void) {
    for (uint32_t n = 0; n < 1000000; ++n, ++tried) {
        const uint32_t value = next_random(), where = next_random();
        const uint32_t offset = where % 4 == 0 ? 0xf00 : (where >> 4) % 0x1000;
        if (value % 3 == 0)
            REG8(GICD + offset) = (uint8_t)(value >> 8);
        else
            REG32(GICD + (offset & ~3u)) = next_random();
        if (n % 16 == 0) { /* take what came of it, and end it once, twice, or not at all */
            const uint32_t taken = REG32(GICC + 0x00c);
            if (value % 5 != 0) REG32(GICC + 0x010) = taken;
            if (value % 7 == 0) REG32(GICC + 0x010) = taken;
            REG32(GICC + 0x004) = value >> 24;
            REG32(GICC + 0x000) = value & 0x201u;
        }
    }
}

static void quiet(void) {
    REG32(GICD) = 0;
    for (uint32_t n = 0; n < 3; ++n) {
        REG32(GICD + 0x180 + n * 4) = ~0u;
        REG32(GICD + 0x280 + n * 4) = ~0u;
        REG32(GICD + 0x380 + n * 4) = ~0u;
    }
    for (uint32_t n = 0; n < 64; ++n) REG32(GICC + 0x010) = REG32(GICC + 0x00c);
    REG32(GICC + 0x0d0) = 0; /* the priorities of what was taken and never ended */
    REG32(GICC + 0x000) = 1;
}

static volatile bool taken;
static void on_timer(uint32_t intid) {
    (void)intid;
    timer_stop();
    taken = true;
}

int main(void) {
    interrupts_off();
    everywhere();
    at_random();
    quiet();
    const uint32_t outside[] = {0x08001000, 0x0800fffc, 0x08012000, 0x08020000, 0x08030000, 0x08040000};
    for (uint32_t n = 0; n < sizeof outside / sizeof *outside; ++n) {
        expect(guest_try(read_word, (void*)outside[n]) == 4, "there is something beside the GIC", outside[n]);
        expect(guest_try(write_word, (void*)outside[n]) == 4, "it can be written", outside[n]);
    }
    interrupts_init();
    interrupt_enable(TIMER_INTERRUPT, 0x80, on_timer);
    timer_set(timer_now() + timer_frequency() / 1000);
    const uint64_t limit = timer_now() + timer_frequency();
    while (!taken && timer_now() < limit) {
        interrupts_on();
        interrupts_off();
    }
    expect(taken, "the timer's interrupt comes no more", 0);
    return told("distributor", tried);
}
