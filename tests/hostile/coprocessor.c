/* Rows 8, 9, 26, 33: every encoding of MRC, MCR, MRRC and MCRR of every coprocessor, at PL0 and PL1. Each is undefined, gives a value, or
 * does something to this partition alone. A register that can be read is written with what it had; others with an address of the
 * program's own. */
#include "hostile.h"

static uint32_t code[16] __attribute__((aligned(64)));
static uint32_t box[4] __attribute__((aligned(64))); /* the value, the second one, whether it went through */

#define MOV_R1_R0 0xe1a01000u
#define LDR_R0_R1 0xe5910000u
#define LDR_R2_R1_4 0xe5912004u
#define CPS_USR 0xf1020010u
#define STR_R0_R1 0xe5810000u
#define STR_R2_R1_4 0xe5812004u
#define MOV_R0_1 0xe3a00001u
#define STR_R0_R1_8 0xe5810008u
#define BX_LR 0xe12fff1eu
#define UDF 0xe7f000f0u

static void publish(void) {
    const uint32_t first = (uint32_t)(uintptr_t)code;
    __asm__ volatile(
        "mcr p15, 0, %0, c7, c11, 1\n\tdsb\n\tmcr p15, 0, %0, c7, c5, 1\n\tmcr p15, 0, %1, c7, c5, 6\n\tdsb\n\tisb" ::"r"(first), "r"(0)
        : "memory");
}

static void call(void* argument) { ((void (*)(void*))(uintptr_t)code)(argument); }

/* Whether the instruction went through, without an exception of its own. */
static bool perform(uint32_t instruction, bool user, uint32_t value) {
    uint32_t n = 0;
    code[n++] = MOV_R1_R0;
    code[n++] = LDR_R0_R1;
    code[n++] = LDR_R2_R1_4;
    if (user) code[n++] = CPS_USR;
    code[n++] = instruction;
    code[n++] = STR_R0_R1;
    code[n++] = STR_R2_R1_4;
    code[n++] = MOV_R0_1;
    code[n++] = STR_R0_R1_8;
    code[n] = user ? UDF : BX_LR;
    publish();
    box[0] = value, box[1] = 0, box[2] = 0;
    (void)guest_try(call, box);
    return box[2] == 1;
}

/* Not tried: VFP, whose registers neighbour.c looks after, and the WFI of an older architecture. */
static bool skipped(uint32_t coprocessor, uint32_t crn, uint32_t crm, uint32_t opc2) {
    return coprocessor == 10 || coprocessor == 11 || (coprocessor == 15 && crn == 7 && crm == 0 && opc2 == 4);
}

static uint32_t tried, passed;

static void single(uint32_t coprocessor, bool user) {
    for (uint32_t opc1 = 0; opc1 < 8; ++opc1)
        for (uint32_t crn = 0; crn < 16; ++crn)
            for (uint32_t crm = 0; crm < 16; ++crm)
                for (uint32_t opc2 = 0; opc2 < 8; ++opc2) {
                    if (skipped(coprocessor, crn, crm, opc2)) continue;
                    const uint32_t mcr = 0xee000010u | opc1 << 21 | crn << 16 | coprocessor << 8 | opc2 << 5 | crm;
                    const bool readable = perform(mcr | 1u << 20, user, 0x5a5a5a5a);
                    const uint32_t value = readable ? box[0] : (uint32_t)(uintptr_t)box;
                    const bool writable = perform(mcr, user, value);
                    tried += 2;
                    passed += (uint32_t)readable + (uint32_t)writable;
                    /* 8 and 9 may be VFP too, of half precision (ARMv8.2, which QEMU's max CPU has). */
                    if (coprocessor < 8 || coprocessor == 12 || coprocessor == 13)
                        expect(!readable && !writable, "a coprocessor that is not there", mcr);
                    if (coprocessor == 15 && crn == 15) expect(!readable && !writable, "an implementation-defined register", mcr);
                }
}

static void pair(uint32_t coprocessor, bool user) {
    for (uint32_t opc1 = 0; opc1 < 16; ++opc1)
        for (uint32_t crm = 0; crm < 16; ++crm) {
            const uint32_t mcrr = 0xec420000u | coprocessor << 8 | opc1 << 4 | crm;
            if (coprocessor == 10 || coprocessor == 11) continue;
            const bool readable = perform(mcrr | 1u << 20, user, 0x5a5a5a5a);
            const uint32_t value = readable ? box[0] : 0, high = readable ? box[1] : 0;
            tried += 2;
            passed += readable;
            if (!readable) continue; /* nothing is known that it could be written with */
            box[1] = high;
            passed += perform(mcrr, user, value);
            expect(coprocessor >= 14, "a coprocessor that is not there", mcrr);
        }
}

static void identity(void) {
    uint32_t value;
    __asm__ volatile("mrc p15, 0, %0, c0, c0, 5" : "=r"(value));
    expect(value == 0x80000000u, "MPIDR", value);
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 1" : "=r"(value));
    expect(value == 0x40u, "ACTLR", value);
    __asm__ volatile("mrc p15, 0, %0, c9, c12, 0" : "=r"(value));
    expect(value == 0, "PMCR", value);
    expect(timer_frequency() == 62500000u, "CNTFRQ", timer_frequency());
}

int main(void) {
    identity();
    for (uint32_t coprocessor = 0; coprocessor < 16; ++coprocessor)
        for (uint32_t user = 0; user < 2; ++user) {
            if (coprocessor < 14 && user == 1) continue;
            single(coprocessor, user != 0);
            pair(coprocessor, user != 0);
        }
    identity();
    const uint64_t before = timer_now();
    while (timer_now() < before + timer_frequency() / 1000) {
    }
    console_printf("%u of %u went through\n", (unsigned)passed, (unsigned)tried);
    return told("coprocessor", tried);
}
