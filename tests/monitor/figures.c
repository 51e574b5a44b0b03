/* What calls of the monitor cost, in instructions: a tick of the counter is one here (tests/bench/bench.py). */
#include <stdint.h>

#include "partita/hypercall.h"
#include "partita/trusted.h"

#define UART 0x09000000u
#define ROUNDS 100u
#define SECOND 1000000000u

uint32_t smc_ticks(uint32_t function); /* from before the SMC to behind it, and what it takes to look at the counter twice */
uint32_t no_ticks(void);
void probe_main(void);
void probe_second(uint32_t context, uint32_t status, uint32_t hyp_control, uint32_t control);
void probe_second(uint32_t context, uint32_t status, uint32_t hyp_control, uint32_t control) {
    (void)context, (void)status, (void)hyp_control, (void)control;
}

static void put(const char* text) {
    for (; *text; ++text) *(volatile uint32_t*)UART = (uint8_t)*text;
}

static uint32_t now(void) {
    uint32_t low, high;
    __asm__ volatile("mrrc p15, 0, %0, %1, c14" : "=r"(low), "=r"(high));
    return low;
}

static void put_number(uint32_t value) {
    char digits[11];
    char* at = digits + sizeof digits - 1;
    *at = 0;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    put(" ");
    put(at);
}

static void tell(const char* name, uint32_t least, uint32_t mean, uint32_t most, uint32_t rounds) {
    put("figure ");
    put(name);
    put_number(least);
    put_number(mean);
    put_number(most);
    put_number(rounds);
    put("\r\n");
}

static void figure(const char* name, uint32_t function) {
    uint32_t least = 0xffffffffu, sum = 0, most = 0;
    for (uint32_t n = 0; n < ROUNDS; ++n) {
        const uint32_t ticks = smc_ticks(function) - no_ticks();
        least = ticks < least ? ticks : least;
        most = ticks > most ? ticks : most;
        sum += ticks;
    }
    tell(name, least, sum / ROUNDS, most, ROUNDS);
}

/* Instructions that are not this loop's, in each of `milliseconds`: the mean, and the worst. */
static void stolen(uint32_t milliseconds) {
    const uint32_t each = SECOND / 1000;
    uint32_t sum = 0, most = 0, least = 0xffffffffu;
    for (uint32_t n = 0; n < milliseconds; ++n) {
        const uint32_t begin = now();
        uint32_t count = each / 2;
        __asm__ volatile("1:\n\tsubs %0, %0, #1\n\tbne 1b" : "+r"(count)::"cc");
        const uint32_t more = now() - begin - each;
        sum += more;
        most = more > most ? more : most;
        least = more < least ? more : least;
    }
    tell("secure_tick", least, sum / milliseconds, most, milliseconds);
}

/* Busy for a second and a half: the secure world says how late its timer's interrupt came to it. */
void probe_main(void) {
    const uint32_t begin = now();
    tell("reset_to_hyp", begin, begin, begin, 1);
    figure("smc_fast", PSCI_VERSION);
    figure("world_switch", PARTITA_TRUSTED_UID);
    stolen(1500);
    (void)smc_ticks(PSCI_SYSTEM_OFF);
}
