/* Console, time, hypercalls: what a program needs of the virtual platform. */
#include "partita/guest/guest.h"

#include "coprocessor.h"
#include "places.h"

#define UART_DR (*(volatile uint32_t *)(PARTITA_GUEST_UART + 0x00))
#define UART_FR (*(volatile uint32_t *)(PARTITA_GUEST_UART + 0x18))
#define UART_IMSC (*(volatile uint32_t *)(PARTITA_GUEST_UART + 0x38))
#define UART_RECEIVE (1u << 4)
#define UART_RECEIVE_TIMEOUT (1u << 6)
#define UART_INTERRUPT 33u
#define UART_RECEIVE_EMPTY (1u << 4)
#define UART_TRANSMIT_FULL (1u << 5)

const void *boot_tree;

const void *device_tree(void) { return boot_tree; }

void console_put(char c) {
    if (c == '\n') console_put('\r');
    while (UART_FR & UART_TRANSMIT_FULL) {
    }
    UART_DR = (uint8_t)c;
}

int console_get(void) { return UART_FR & UART_RECEIVE_EMPTY ? -1 : (int)(UART_DR & 0xffu); }

void console_listen(interrupt_handler handler) {
    interrupt_enable(UART_INTERRUPT, 0x80, handler);
    UART_IMSC = UART_RECEIVE | UART_RECEIVE_TIMEOUT;
}

uint32_t timer_frequency(void) { return read_cntfrq(); }

uint64_t timer_now(void) {
    barrier_isb();
    return read_cntvct();
}

void timer_set(uint64_t deadline) {
    write_cntv_cval(deadline);
    write_cntv_ctl(1);
    barrier_isb();
}

void timer_stop(void) {
    write_cntv_ctl(0);
    barrier_isb();
}

int32_t cpu_on(uint32_t index, void (*entry)(void), uint32_t argument) {
    return (int32_t)hypercall(PSCI_CPU_ON, index, (uint32_t)(uintptr_t)entry, argument).r0;
}

void power_off(void) {
    for (;;) hypercall(PSCI_SYSTEM_OFF, 0, 0, 0);
}

void restart(void) {
    for (;;) hypercall(PSCI_SYSTEM_RESET, 0, 0, 0);
}

uint32_t hypervisor_version(void) {
    const struct hypercall_result id = hypercall(PARTITA_HYPERCALL_UID, 0, 0, 0);
    if (id.r0 != PARTITA_UID_0 || id.r1 != PARTITA_UID_1 || id.r2 != PARTITA_UID_2 || id.r3 != PARTITA_UID_3) return 0;
    const struct hypercall_result version = hypercall(PARTITA_HYPERCALL_VERSION, 0, 0, 0);
    return version.r0 << 16 | version.r1;
}
