/* Shares a CPU with others: fills every register that moves at a switch with a pattern of its own, sleeps and spins in
 * turn, and looks whether anything has changed or shone through. */
#include "partita/guest/guest.h"

static volatile bool woken;
static void on_timer(uint32_t intid) {
    (void)intid;
    timer_stop();
    woken = true;
}

static uint64_t pattern[32], seen[32];

static void fill(void) {
    void* at = pattern;
    __asm__ volatile(".fpu neon\n\tvldmia %0!, {d0-d15}\n\tvldmia %0, {d16-d31}" : "+r"(at)::"memory");
}
static void look(void) {
    void* at = seen;
    __asm__ volatile(".fpu neon\n\tvstmia %0!, {d0-d15}\n\tvstmia %0, {d16-d31}" : "+r"(at)::"memory");
}

#define SET(register, value) __asm__ volatile("mcr p15, 0, %0, " register ::"r"(value))
#define GET(register, value) __asm__ volatile("mrc p15, 0, %0, " register : "=r"(value))

int main(void) {
    const uint32_t seed = (uint32_t)timer_now() | 1;
    for (unsigned n = 0; n < 32; ++n) pattern[n] = (uint64_t)seed << 32 | n;
    interrupts_init();
    interrupt_enable(TIMER_INTERRUPT, 0x80, on_timer);
    for (unsigned round = 0; round < 300; ++round) {
        uint32_t user, kernel, context, fault;
        fill();
        SET("c13, c0, 2", seed);
        SET("c13, c0, 4", seed + 1);
        SET("c13, c0, 1", seed + 2);
        SET("c6, c0, 0", seed + 3);
        woken = false;
        timer_set(timer_now() + timer_frequency() / (round % 2 ? 500 : 3000));
        while (!woken) {
            if (round % 2) wait_for_interrupt();
            interrupts_on();
            interrupts_off();
        }
        look();
        GET("c13, c0, 2", user);
        GET("c13, c0, 4", kernel);
        GET("c13, c0, 1", context);
        GET("c6, c0, 0", fault);
        bool same = user == seed && kernel == seed + 1 && context == seed + 2 && fault == seed + 3;
        for (unsigned n = 0; n < 32; ++n) same = same && pattern[n] == seen[n];
        if (!same) {
            console_printf("neighbour: FAILED in round %u\n", round);
            return 1;
        }
    }
    console_printf("neighbour: ok\n");
    return 0;
}
