/* What hostile programs share: a generator, and how they tell their end. Each does what no partition should, and must in the end
 * still be able to say so: what it breaks is its own. Rows are those of the list in docs/security.md. */
#ifndef PARTITA_HOSTILE_H
#define PARTITA_HOSTILE_H

#include "partita/guest/guest.h"

#define REG32(address) (*(volatile uint32_t*)(address))
#define REG16(address) (*(volatile uint16_t*)(address))
#define REG8(address) (*(volatile uint8_t*)(address))

static unsigned failures;

static inline void expect(bool good, const char* what, uint32_t detail) {
    if (good) return;
    if (++failures < 20) console_printf("WRONG: %s (0x%08x)\n", what, (unsigned)detail);
}

/* xorshift: the same in every run. */
static inline uint32_t next_random(void) {
    static uint32_t state = 0x2545f491u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static inline int told(const char* what, uint32_t count) {
    if (failures != 0)
        console_printf("hostile: %s FAILED: %u of %u\n", what, failures, (unsigned)count);
    else
        console_printf("hostile: %s ok after %u\n", what, (unsigned)count);
    return 0;
}

#endif
