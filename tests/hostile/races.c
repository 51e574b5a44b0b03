/* Rows 7, 11, 12 and 16, with three virtual CPUs: the second rewrites the instruction that the first makes an access with, and takes the
 * page away that it lies in, while it floods the TLBs; both start the third at the same time. */
#include "hostile.h"

#define PRIORITIES 0x08000420u
#define ALIAS 0x0b000000u

extern void race_secondary(void);
void race_entry(uint32_t index) __attribute__((noreturn));
__asm__(
    ".text\n.arm\n.global race_secondary\n.type race_secondary, %function\nrace_secondary:\n"
    " ldr r1, =race_stacks\n add sp, r1, r0, lsl #10\n bl race_entry\n.ltorg\n");
uint8_t race_stacks[4 * 1024] __attribute__((aligned(8))); /* that of index n ends at its begin of the next */

static uint32_t code[16] __attribute__((aligned(64)));
static volatile uint32_t finished, begun, third_starts, third_wins, step;

static volatile uint32_t* table(void) {
    uint32_t ttbr;
    __asm__ volatile("mrc p15, 0, %0, c2, c0, 0" : "=r"(ttbr));
    return (volatile uint32_t*)(ttbr & ~0x3fffu);
}

/* What the word of `code` is in turn: accesses of every form, and none. */
static const uint32_t instructions[] = {0xe5912000 /* ldr r2, [r1] */,
                                        0xe1c120d0 /* ldrd r2, r3, [r1] */,
                                        0xe881000c /* stm r1, {r2, r3} */,
                                        0xe5a12004 /* str r2, [r1, #4]! */,
                                        0xe7f000f0 /* udf */,
                                        0xe1a00000 /* nop */,
                                        0xee112f30 /* mrc ACTLR */,
                                        0xe1912f9f /* ldrex r2, [r1] */,
                                        0xf4210aff /* neon */};

static volatile uint32_t* shared_table;

static void rewrite(uint32_t n) {
    code[0] = instructions[n % (sizeof instructions / sizeof *instructions)];
    shared_table[ALIAS >> 20] = n % 5 == 0 ? 0 : 0x40000c02u | (n % 7 == 0 ? 0x10u : 0); /* nothing, execute-never, or the code's section */
    __asm__ volatile("dsb\n\tmcr p15, 0, %0, c7, c1, 0\n\tmcr p15, 0, %0, c8, c3, 0\n\tmcr p15, 0, %0, c7, c1, 6\n\tdsb\n\tisb" ::"r"(0)
                     : "memory");
}

static void caches(void) {
    uint32_t control;
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(control));
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n\tisb\n\tmcr p15, 0, %1, c1, c0, 0\n\tisb" ::"r"(control ^ 1u << 12), "r"(control)
                     : "memory");
}

/* CPU_ON of the third, by two at the same time. */
static void contend(uint32_t round) {
    if ((int32_t)hypercall(PSCI_CPU_ON, 2, (uint32_t)(uintptr_t)race_secondary, 3).r0 != PSCI_SUCCESS) return;
    __atomic_fetch_add(&third_wins, 1, __ATOMIC_RELAXED);
    (void)round;
}

void race_entry(uint32_t index) {
    if (index == 3) {
        __atomic_fetch_add(&third_starts, 1, __ATOMIC_RELAXED);
        hypercall(PSCI_CPU_OFF, 0, 0, 0);
    }
    begun = 1;
    for (uint32_t n = 0; !finished; ++n) {
        rewrite(n);
        if (n % 3 == 0) caches();
        if (n % 8 == 0) contend(n);
        step = n;
    }
    hypercall(PSCI_CPU_OFF, 0, 0, 0);
    for (;;) {
    }
}

static void run(void* at) {
    __asm__ volatile("mov r1, %1\n\tblx %0" ::"r"(at), "r"(PRIORITIES) : "r0", "r1", "r2", "r3", "r12", "lr", "memory");
}

int main(void) {
    interrupts_off();
    for (uint32_t n = 1; n < 16; ++n) code[n] = 0xe12fff1eu; /* bx lr */
    shared_table = table();
    code[0] = instructions[0];
    __asm__ volatile("dsb" ::: "memory");
    if (cpu_on(1, race_secondary, 2) != 0) console_printf("WRONG: no second CPU\n");
    while (!begun) __asm__ volatile("yield");
    uint32_t went = 0, tried = 0;
    void* const aliased = (void*)(ALIAS | ((uint32_t)(uintptr_t)code & 0xfffffu));
    for (; tried < 20000; ++tried) {
        if (guest_try(run, tried % 2 == 0 ? (void*)code : aliased) == 0) ++went;
        if (tried % 8 == 0) contend(tried);
        if (tried % 64 == 0) __asm__ volatile("yield");
    }
    finished = 1;
    for (uint32_t n = 0; n < 2000; ++n) __asm__ volatile("yield");
    const uint64_t limit = timer_now() + timer_frequency();
    while (third_starts != third_wins && timer_now() < limit) __asm__ volatile("yield");
    expect(third_wins != 0 && third_starts == third_wins, "CPU_ON succeeded another number of times than there were starts",
           third_wins << 16 | third_starts);
    expect(step != 0, "the second CPU did nothing", 0);
    console_printf("%u of %u went through; the third began %u times\n", (unsigned)went, (unsigned)tried, (unsigned)third_starts);
    return told("races", tried);
}
