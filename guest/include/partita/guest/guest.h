/* The SDK for programs that run in a partition: start-up, console, interrupts, time and hypercalls. For C and C++.
 *
 * A program has `int main(void)`. It starts in SVC mode on the partition's first virtual CPU with a stack, zeroed bss, VFP
 * enabled, MMU and caches on with the partition's RAM as normal memory, interrupts masked. When main returns, the
 * partition powers off.
 */
#ifndef PARTITA_GUEST_H
#define PARTITA_GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "partita/hypercall.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The program. Declared here, so that it has C linkage in C++ too. */
int main(void);

/* --- console ------------------------------------------------------------------------------------------------------ */

void console_put(char c);
void console_write(const char *text);
/* Knows %s %c %d %u %x %lu %lld %llu %llx %08x and %%. */
void console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The next character that was typed, or -1. */
int console_get(void);
/* Calls `handler` when something was typed, until console_get() has taken all of it. After interrupts_init(). */
void console_listen(void (*handler)(uint32_t intid));

/* --- time: the virtual timer (ARM DDI 0406C.d B8.1) ----------------------------------------------------------------- */

/* Ticks in a second. */
uint32_t timer_frequency(void);
uint64_t timer_now(void);
/* Interrupt TIMER_INTERRUPT comes when the counter reaches `deadline`, and stays until the timer is set anew or stopped. */
void timer_set(uint64_t deadline);
void timer_stop(void);
#define TIMER_INTERRUPT 27u
/* Sleeps until the counter reaches `deadline`; other interrupts are served meanwhile. Takes the timer's interrupt for itself. After
 * interrupts_init(), with interrupts masked. */
void timer_sleep_until(uint64_t deadline);

/* --- interrupts: GICv2 (IHI 0048B) ---------------------------------------------------------------------------------- */

typedef void (*interrupt_handler)(uint32_t intid);

void interrupts_init(void);
/* Calls `handler` for interrupt `intid` of this partition, and enables it. Lower numbers are more urgent: 0 to 0xf8. */
void interrupt_enable(uint32_t intid, uint8_t priority, interrupt_handler handler);
void interrupt_disable(uint32_t intid);
void interrupts_on(void);
void interrupts_off(void);
/* Sleeps until an interrupt is pending; returns at once where one is. */
void wait_for_interrupt(void);

/* --- PCI: functions of the board that the partition was given ------------------------------------------------------- */

/* `function` is device * 8 + function, on bus 0. The first of this kind; -1: the partition has none. */
int pci_find(uint16_t vendor, uint16_t device);
/* A word of its configuration space. */
uint32_t pci_read(uint32_t function, uint32_t offset);
void pci_write(uint32_t function, uint32_t offset, uint32_t value);
/* Where its registers are (base address register 0 to 5). */
uint32_t pci_address(uint32_t function, unsigned bar);
/* From now on it answers, and may read and write the partition's memory. */
void pci_enable(uint32_t function);
/* Its interrupt, for interrupt_enable(); 0: it has none. */
uint32_t pci_interrupt(uint32_t function);
/* What was read and written before, in memory and of devices, comes before what follows, for devices too. */
void device_barrier(void);

/* --- hypercalls ------------------------------------------------------------------------------------------------------ */

struct hypercall_result {
    uint32_t r0, r1, r2, r3;
};
struct hypercall_result hypercall(uint32_t function, uint32_t a, uint32_t b, uint32_t c);

/* Starts virtual CPU `index` at `entry` with `argument` in r0, MMU and caches off; a PSCI result. */
int32_t cpu_on(uint32_t index, void (*entry)(void), uint32_t argument);
void power_off(void) __attribute__((noreturn));
void restart(void) __attribute__((noreturn));
/* The hypervisor's version, major << 16 | minor; 0 where there is none. */
uint32_t hypervisor_version(void);

/* --- boot ---------------------------------------------------------------------------------------------------------- */

/* Calls f(argument). 0: it returned; otherwise the exception that ended it: 1 undefined instruction, 3 prefetch abort,
 * 4 data abort. Not nested, and with interrupts masked. */
int guest_try(void (*f)(void *), void *argument);

/* The device tree that the partition was given. */
const void *device_tree(void);
/* Which life of the partition this is, from 1 on, and why it began (enum partita_reset_reason). */
uint32_t life_number(void);
uint32_t life_reason(void);
/* Called for an exception that nothing handles; says what happened and powers off. A program may have its own. */
void unexpected_exception(const char *what, uint32_t pc, uint32_t status, uint32_t address) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
