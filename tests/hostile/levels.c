/* Row 21: interrupts whose device is never asked to be quiet: taken, ended, and there again at once. */
#include "hostile.h"

#define GICD 0x08000000u
#define GICC 0x08010000u
#define PL011 0x09000000u
#define UART_INTERRUPT 33u

static uint32_t taken;

/* As fast as it goes, with interrupts masked. Between the end and the next there may be a time without: QEMU looks at a physical level
 * again only with the next thing that happens to its GIC. */
static void poll(uint32_t wanted, uint32_t times) {
    for (uint32_t n = 0; n < times; ++n, ++taken) {
        const uint64_t limit = timer_now() + timer_frequency() / 100;
        uint32_t iar = 1023;
        while (iar == 1023 && timer_now() < limit) iar = REG32(GICC + 0x00c);
        expect((iar & 0x3ffu) == wanted, "the level is not signalled again", n << 16 | wanted);
        REG32(GICC + 0x010) = iar;
    }
}

static volatile uint32_t handled;
static uint32_t last;
static void ignore(uint32_t intid) {
    if (++handled < 3000) return;
    interrupt_disable(intid);
    last = intid;
}

int main(void) {
    interrupts_off();
    interrupts_init();
    interrupt_enable(TIMER_INTERRUPT, 0x80, ignore);
    timer_set(timer_now());
    poll(TIMER_INTERRUPT, 300);
    interrupts_on(); /* the same by the vector */
    while (handled < 3000) {
    }
    interrupts_off();
    expect(last == TIMER_INTERRUPT, "who came", last);
    taken += handled;
    timer_stop();
    handled = 0;
    interrupt_enable(UART_INTERRUPT, 0x80, ignore);
    REG32(PL011 + 0x38) = 1u << 5; /* room to send, which it always has */
    REG32(PL011) = '\n';
    poll(UART_INTERRUPT, 3000);
    interrupts_on();
    while (handled < 3000) {
    }
    interrupts_off();
    expect(last == UART_INTERRUPT, "who came", last);
    taken += handled;
    REG32(PL011 + 0x38) = 0;
    return told("levels", taken);
}
