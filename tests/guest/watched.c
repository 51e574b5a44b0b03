/* Ends each of its lives otherwise: by its watchdog, a fault, a reset, a power-off, and by a watchdog that it never touched. */
#include "partita/guest/guest.h"

#define WATCHDOG(offset) (*(volatile uint32_t*)(0x09080000u + (offset)))
#define LOAD WATCHDOG(0x000)
#define CONTROL WATCHDOG(0x008)
#define CLEAR WATCHDOG(0x00c)
#define RAW WATCHDOG(0x010)
#define LOCK WATCHDOG(0xc00)

static void wait_ms(uint32_t ms) {
    const uint64_t end = timer_now() + (uint64_t)timer_frequency() * ms / 1000;
    while (timer_now() < end) {
    }
}

int main(void) {
    const uint32_t life = life_number();
    console_printf("life %u, reason %u\n", (unsigned)life, (unsigned)life_reason());
    switch (life) {
        case 1: {
            LOAD = 24000000 / 20; /* 50 ms, and 50 more until the reset */
            CONTROL = 3;
            for (uint32_t n = 0; n < 4; ++n) {
                wait_ms(40);
                CLEAR = 1;
            }
            wait_ms(70);
            console_printf("%s after four feedings\n", RAW == 1 ? "barked" : "WRONG: silent");
            CLEAR = 1;
            LOCK = 0;
            CONTROL = 0;
            console_printf("%s when locked\n", CONTROL == 3 ? "kept" : "WRONG: changed");
            for (;;) {
            }
        }
        case 2: *(volatile uint32_t*)0x1c0f0000 = 1; break;
        case 3: restart();
        case 4: return 0;
        default:
            CONTROL = 0; /* it runs from the start, and cannot be stopped */
            for (;;) {
            }
    }
    console_printf("WRONG: went on\n");
    return 0;
}
