// The SDK's timer on the physical timer of the secure world, which the other one does not reach (ARM DDI 0406C B8.1.4).
#include "keys.hpp"
#include "partita/guest/guest.h"

uint32_t timer_frequency() {
    uint32_t value;
    asm volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(value));
    return value;
}

uint64_t timer_now() {
    uint64_t value;
    asm volatile("isb\n\tmrrc p15, 0, %Q0, %R0, c14" : "=r"(value)::"memory");
    return value;
}

void timer_set(uint64_t deadline) {
    asm volatile("mcrr p15, 2, %Q0, %R0, c14\n\tmcr p15, 0, %1, c14, c2, 1\n\tisb" ::"r"(deadline), "r"(1) : "memory");
}

void timer_stop() { asm volatile("mcr p15, 0, %0, c14, c2, 1\n\tisb" ::"r"(0) : "memory"); }

uint64_t partita::secure::clock_sample() { return timer_now(); }
