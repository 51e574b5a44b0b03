/* The benchmark's own measure: under -icount shift=0 and a counter of 1 GHz, one tick of CNTVCT is one instruction. */
#ifndef BENCH_H
#define BENCH_H

#include "partita/guest/guest.h"

#define GICD 0x08000000u
#define GICC 0x08010000u
#define PL011 0x09000000u
#define PL031 0x09010000u
#define REG32(address) (*(volatile uint32_t*)(address))
/* One plain STRB: the compiler would use forms with write-back in loops. */
static inline void write8(uint32_t address, uint8_t value) { __asm__ volatile("strb %0, [%1]" ::"r"(value), "r"(address) : "memory"); }

/* The counter's ticks over `instruction`, which may use `in` (%[in]) and write `out` (%[out]); reading it once costs one. */
#define TIMED(instruction, in_value, out_value)                                                                                  \
    __extension__({                                                                                                              \
        uint64_t before_, after_;                                                                                                \
        __asm__ volatile("mrrc p15, 1, %Q[before], %R[before], c14\n\t" instruction "\n\tmrrc p15, 1, %Q[after], %R[after], c14" \
                         : [before] "=&r"(before_), [after] "=&r"(after_), [out] "=&r"(out_value)                                \
                         : [in] "r"(in_value)                                                                                    \
                         : "memory", "r0", "r1", "r2", "r3", "cc");                                                              \
        (uint32_t)(after_ - before_) - 1;                                                                                        \
    })

static inline uint64_t counter(void) {
    uint64_t value;
    __asm__ volatile("mrrc p15, 1, %Q0, %R0, c14" : "=r"(value)::"memory");
    return value;
}
static inline void set_compare(uint64_t value) { __asm__ volatile("mcrr p15, 3, %Q0, %R0, c14" ::"r"(value) : "memory"); }
static inline void timer_control(uint32_t value) { __asm__ volatile("mcr p15, 0, %0, c14, c3, 1" ::"r"(value) : "memory"); }
static inline void yield(void) { __asm__ volatile("yield" ::: "memory"); }

/* In the variants that use VFP, an instruction of it. */
static inline void use_vfp(void) {
#ifdef VFP
    __asm__ volatile(".fpu neon\n\tvmov d0, d0" ::: "memory");
#endif
}

/* What the plugin (count.c) looks for: one repetition of an operation lies between. The compiler makes neither of them. */
static inline void mark_begin(void) { __asm__ volatile("mov r11, r11" ::: "memory"); }
static inline void mark_end(void) { __asm__ volatile("mov r12, r12" ::: "memory"); }

struct figures {
    uint32_t minimum, maximum, count;
    uint64_t sum;
};
static inline void record(struct figures* figures, uint32_t value) {
    if (figures->count == 0 || value < figures->minimum) figures->minimum = value;
    if (value > figures->maximum) figures->maximum = value;
    ++figures->count;
    figures->sum += value;
}
void report(const char* name, const struct figures* figures);

/* The ISR of vectors.S acknowledges and ends; it leaves these. */
struct taken {
    volatile uint64_t entered; /* the counter at the ISR's entry */
    volatile uint32_t id, count;
};
extern struct taken taken[8]; /* by CPU */
void bench_interrupts_on(void);
/* The counter at the partition's first instruction. */
extern uint64_t first_instruction;

#endif
