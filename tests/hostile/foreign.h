/* What the programs share whose devices reach for what is not theirs: what lies there, and how they wait. */
#ifndef PARTITA_HOSTILE_FOREIGN_H
#define PARTITA_HOSTILE_FOREIGN_H

#include "hostile.h"

#define PAGE_SIZE 4096u
#define SECRET 0x5ec2e75eu

#define BEHIND_MEMORY 0x40200000u /* behind its own memory; the hypervisor, were it not translated */
#define MESSAGES 0x08020000u      /* message interrupts */
#define SYSTEM_MMU 0x09050000u
#define DISTRIBUTOR 0x08000000u
#define LAST_PAGE 0xfffff000u

static inline bool wait_until(bool (*done)(void), uint32_t milliseconds) {
    const uint64_t give_up = timer_now() + timer_frequency() / 1000u * (uint64_t)milliseconds;
    while (timer_now() < give_up)
        if (done()) return true;
    return done();
}

static inline void pause(uint32_t milliseconds) {
    const uint64_t end = timer_now() + timer_frequency() / 1000u * (uint64_t)milliseconds;
    while (timer_now() < end) {
    }
}

static inline void barrier(void) { __asm__ volatile("dsb" ::: "memory"); }

static inline uint32_t address_of(const volatile void* object) { return (uint32_t)(uintptr_t)object; }

#endif
