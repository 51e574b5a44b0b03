/* The partition's GICv2, and sleep until the timer's interrupt. */
#include "partita/guest/guest.h"

#include "places.h"

#define REG32(address) (*(volatile uint32_t *)(address))
#define REG8(address) (*(volatile uint8_t *)(address))
#define MOST_INTERRUPTS 288u

static interrupt_handler handlers[MOST_INTERRUPTS];

void guest_irq(void);

void interrupts_init(void) {
    REG32(PARTITA_GUEST_GICD + 0x000) = 1;
    REG32(PARTITA_GUEST_GICC + 0x004) = 0xff;
    REG32(PARTITA_GUEST_GICC + 0x000) = 1;
}

void interrupt_enable(uint32_t intid, uint8_t priority, interrupt_handler handler) {
    if (intid >= MOST_INTERRUPTS) return;
    handlers[intid] = handler;
    REG8(PARTITA_GUEST_GICD + 0x400 + intid) = priority;
    if (intid >= 32) REG8(PARTITA_GUEST_GICD + 0x800 + intid) = 1;
    REG32(PARTITA_GUEST_GICD + 0x100 + intid / 32 * 4) = 1u << intid % 32;
}

void interrupt_disable(uint32_t intid) {
    if (intid < MOST_INTERRUPTS) REG32(PARTITA_GUEST_GICD + 0x180 + intid / 32 * 4) = 1u << intid % 32;
}

void interrupts_on(void) { __asm__ volatile("cpsie i" ::: "memory"); }
void interrupts_off(void) { __asm__ volatile("cpsid i" ::: "memory"); }
void wait_for_interrupt(void) { __asm__ volatile("dsb\n\twfi" ::: "memory"); }

static volatile bool slept;
static void on_timer(uint32_t intid) {
    (void)intid;
    timer_stop();
    slept = true;
}

void timer_sleep_until(uint64_t deadline) {
    if (handlers[TIMER_INTERRUPT] != on_timer) interrupt_enable(TIMER_INTERRUPT, 0x40, on_timer);
    slept = false;
    timer_set(deadline);
    while (!slept) {
        wait_for_interrupt();
        interrupts_on();
        interrupts_off();
    }
}

void guest_irq(void) {
    const uint32_t acknowledged = REG32(PARTITA_GUEST_GICC + 0x00c);
    const uint32_t intid = acknowledged & 0x3ffu;
    if (intid >= 1020) return;
    if (intid < MOST_INTERRUPTS && handlers[intid]) handlers[intid](intid);
    REG32(PARTITA_GUEST_GICC + 0x010) = acknowledged;
}
