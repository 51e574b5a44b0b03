/* The CP15 registers that the SDK uses (ARM DDI 0406C.d B3.17, B8.1). */
#ifndef PARTITA_GUEST_COPROCESSOR_H
#define PARTITA_GUEST_COPROCESSOR_H

#include <stdint.h>

static inline void barrier_isb(void) { __asm__ volatile("isb" ::: "memory"); }
static inline void barrier_dsb(void) { __asm__ volatile("dsb" ::: "memory"); }

#define READ32(name, opc1, crn, crm, opc2)                                                              \
    static inline uint32_t read_##name(void) {                                                          \
        uint32_t value;                                                                                 \
        __asm__ volatile("mrc p15, " #opc1 ", %0, " #crn ", " #crm ", " #opc2 : "=r"(value)::"memory"); \
        return value;                                                                                   \
    }
#define WRITE32(name, opc1, crn, crm, opc2)                                                             \
    static inline void write_##name(uint32_t value) {                                                   \
        __asm__ volatile("mcr p15, " #opc1 ", %0, " #crn ", " #crm ", " #opc2 ::"r"(value) : "memory"); \
    }

READ32(cntfrq, 0, c14, c0, 0)
READ32(mpidr, 0, c0, c0, 5)
READ32(sctlr, 0, c1, c0, 0)
READ32(dfsr, 0, c5, c0, 0)
READ32(ifsr, 0, c5, c0, 1)
READ32(dfar, 0, c6, c0, 0)
READ32(ifar, 0, c6, c0, 2)
WRITE32(sctlr, 0, c1, c0, 0)
WRITE32(ttbr0, 0, c2, c0, 0)
WRITE32(ttbcr, 0, c2, c0, 2)
WRITE32(dacr, 0, c3, c0, 0)
WRITE32(iciallu, 0, c7, c5, 0)
WRITE32(bpiall, 0, c7, c5, 6)
WRITE32(tlbiall, 0, c8, c7, 0)
WRITE32(tlbiallis, 0, c8, c3, 0)
WRITE32(cntv_ctl, 0, c14, c3, 1)

static inline uint64_t read_cntvct(void) {
    uint64_t value;
    __asm__ volatile("mrrc p15, 1, %Q0, %R0, c14" : "=r"(value)::"memory");
    return value;
}
static inline void write_cntv_cval(uint64_t value) { __asm__ volatile("mcrr p15, 3, %Q0, %R0, c14" ::"r"(value) : "memory"); }

#endif
