/* Rows 2, 5, 6, 10, 25, 32 and 33: code in devices, through an alias and at PL0; SWP, byte order, unaligned and odd accesses to an
 * emulated device; Jazelle, ThumbEE, breakpoints; VFP on and off; DCIMVAC on what is there and what is not. */
#include "hostile.h"

#define PRIORITIES 0x08000420u
#define ALIAS 0x0a000000u
#define EXECUTE_NEVER (1u << 4)

static uint32_t tried;

static volatile uint32_t* table(void) {
    uint32_t ttbr;
    __asm__ volatile("mrc p15, 0, %0, c2, c0, 0" : "=r"(ttbr));
    return (volatile uint32_t*)(ttbr & ~0x3fffu);
}
static void map(uint32_t at, uint32_t descriptor) {
    table()[at >> 20] = descriptor;
    __asm__ volatile("dsb\n\tmcr p15, 0, %0, c8, c7, 0\n\tdsb\n\tisb" ::"r"(0) : "memory");
}

static void call(void* at) { ((void (*)(void))at)(); }
static void call_as_user(void* at) { __asm__ volatile("cps #0x10\n\tblx %0\n\tudf #0" ::"r"(at) : "lr", "memory"); }

/* Nothing in the address space of a device is ever executed, whatever the guest's own tables say. */
static void code_in_devices(void) {
    static const uint32_t places[] = {0x08000000, 0x08010000, 0x09000000, 0x1c000000};
    for (uint32_t n = 0; n < sizeof places / sizeof *places; ++n) {
        const uint32_t at = places[n], own = table()[at >> 20];
        map(at, own & ~EXECUTE_NEVER);
        map(ALIAS, own & ~EXECUTE_NEVER);
        expect(guest_try(call, (void*)at) == 3, "code in a device", at);
        expect(guest_try(call, (void*)(ALIAS | (at & 0xfffffu))) == 3, "code in a device, by an alias", at);
        expect(guest_try(call_as_user, (void*)at) == 3, "code in a device, at PL0", at);
        map(at, own);
        map(ALIAS, ALIAS | EXECUTE_NEVER | 0xc06u);
        tried += 3;
    }
}

static uint32_t value;
/* By their numbers: no architecture that the assembler is told of here has them any more. */
static void swap_word(void* at) { /* swp r4, r2, [r3] */
    register uint32_t given __asm__("r2") = 0x48484848;
    register void* where __asm__("r3") = at;
    register uint32_t got __asm__("r4");
    __asm__ volatile(".inst 0xe1034092" : "=&r"(got) : "r"(given), "r"(where) : "memory");
    value = got;
}
static void swap_byte(void* at) { /* swpb r4, r2, [r3] */
    register uint32_t given __asm__("r2") = 0x50;
    register void* where __asm__("r3") = at;
    register uint32_t got __asm__("r4");
    __asm__ volatile(".inst 0xe1434092" : "=&r"(got) : "r"(given), "r"(where) : "memory");
    value = got;
}
static void big_endian(void* at) {
    __asm__ volatile("setend be\n\tldr %0, [%1]\n\tstr %0, [%1, #4]\n\tstrh %0, [%1, #8]\n\tsetend le" : "=&r"(value) : "r"(at) : "memory");
}
static void unaligned(void* at) {
    __asm__ volatile("ldr %0, [%1, #1]\n\tstr %0, [%1, #3]\n\tldrh %0, [%1, #3]" : "=&r"(value) : "r"(at) : "memory");
}
static void to_stack_pointer(void* at) {
    __asm__ volatile("mov r4, sp\n\tldr sp, [%1]\n\tmov %0, sp\n\tmov sp, r4" : "=&r"(value) : "r"(at) : "r4", "memory");
}
static void to_pc(void* at) { __asm__ volatile("ldr pc, [%0]" ::"r"(at) : "memory"); }
static void exclusive(void* at) { __asm__ volatile("ldrex %0, [%1]\n\tstrex r4, %0, [%1]" : "=&r"(value) : "r"(at) : "r4", "memory"); }

/* SP and LR of a mode, from a device and to one; what they were is put back. 0x13: back to SVC. */
#define BANKED(mode, name)                                                                                                               \
    static void name(void* at) {                                                                                                         \
        __asm__ volatile("cps #" #mode                                                                                                   \
                         "\n\tmov r4, sp\n\tmov r5, lr\n\tldr sp, [%0]\n\tldr lr, [%0, #4]\n\tstr sp, [%0, #12]\n\tstr lr, [%0, #8]\n\t" \
                         "mov sp, r4\n\tmov lr, r5\n\tcps #0x13" ::"r"(at)                                                               \
                         : "r4", "r5", "memory");                                                                                        \
    }
BANKED(0x11, in_fiq)
BANKED(0x12, in_irq)
BANKED(0x17, in_abort)
BANKED(0x1b, in_undefined)
BANKED(0x1f, in_system)
BANKED(0x13, in_supervisor)
static void in_user(void* at) { /* UDF leads back, by guest_try() */
    __asm__ volatile("cps #0x10\n\tldr sp, [%0]\n\tldr lr, [%0, #4]\n\tstr sp, [%0, #12]\n\tstr lr, [%0, #8]\n\tudf #0" ::"r"(at)
                     : "lr", "memory");
}
static void fiq_bank(void* at) {
    __asm__ volatile(
        "mov r1, %0\n\tcps #0x11\n\tldr r8, [r1]\n\tldr r9, [r1, #4]\n\tldr r10, [r1]\n\tldr r11, [r1, #4]\n\tldr r12, [r1]\n\t"
        "eor r8, r8, r9\n\teor r10, r10, r11\n\teor r8, r8, r10\n\teor r8, r8, r12\n\tstr r8, [r1, #8]\n\tstr r9, [r1, #12]\n\t"
        "str r10, [r1, #16]\n\tstr r11, [r1, #20]\n\tstr r12, [r1, #24]\n\tcps #0x13" ::"r"(at)
        : "r1", "memory");
}

static void banks(void) {
    void (*const modes[])(void*) = {in_fiq, in_irq, in_abort, in_undefined, in_system, in_supervisor, in_user};
    for (uint32_t n = 0; n < sizeof modes / sizeof *modes; ++n, ++tried) {
        REG32(PRIORITIES) = 0x10182028, REG32(PRIORITIES + 4) = 0x30384048, REG32(PRIORITIES + 8) = 0, REG32(PRIORITIES + 12) = 0;
        (void)guest_try(modes[n], (void*)PRIORITIES);
        expect(REG32(PRIORITIES + 12) == 0x10182028 && REG32(PRIORITIES + 8) == 0x30384048, "SP and LR of a mode", n);
    }
    REG32(PRIORITIES) = 0x10182028, REG32(PRIORITIES + 4) = 0x30384048;
    (void)guest_try(fiq_bank, (void*)PRIORITIES);
    expect(REG32(PRIORITIES + 8) == 0x10182028 && REG32(PRIORITIES + 12) == 0x30384048 && REG32(PRIORITIES + 24) == 0x10182028,
           "r8 to r12 of FIQ", REG32(PRIORITIES + 8));
}

static void odd_accesses(void) {
    const uint32_t word = 0x10182028;
    REG32(PRIORITIES) = word;
    uint32_t control;
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(control));
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n\tisb" ::"r"(control | 1u << 10)); /* SW, where the CPU has it */
    if (guest_try(swap_word, (void*)PRIORITIES) == 0) {
        expect(value == word && REG32(PRIORITIES) == 0x48484848, "SWP", value);
        expect(guest_try(swap_byte, (void*)(PRIORITIES + 1)) == 0 && value == 0x48 && REG32(PRIORITIES) == 0x48485048, "SWPB", value);
    }
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n\tisb" ::"r"(control));
    REG32(PRIORITIES) = word;
    REG32(PRIORITIES + 8) = 0;
    expect(guest_try(big_endian, (void*)PRIORITIES) == 0 && value == 0x28201810, "a load in big-endian order", value);
    expect(REG32(PRIORITIES + 4) == word, "a store in big-endian order", REG32(PRIORITIES + 4));
    (void)guest_try(unaligned, (void*)PRIORITIES);
    REG32(PRIORITIES) = word;
    expect(guest_try(to_stack_pointer, (void*)PRIORITIES) == 0 && value == word, "a load of SP", value);
    expect(guest_try(to_pc, (void*)PRIORITIES) != 0, "a load of PC from a priority register", 0);
    (void)guest_try(exclusive, (void*)PRIORITIES);
    tried += 8;
}

static void jazelle(void* unused) {
    (void)unused;
    __asm__ volatile("adr r4, 1f\n\tbxj r4\n1:" ::: "r4", "memory");
}
static void breakpoint(void* unused) {
    (void)unused;
    __asm__ volatile("bkpt #0");
}
__asm__(
    ".text\n.syntax unified\n.thumb\n.global enter_thumbee\n.type enter_thumbee, %function\n.thumb_func\nenter_thumbee:\n"
    " .inst.w 0xf3bf8f1f\n .inst.w 0xf3bf8f0f\n bx lr\n.arm\n"); /* ENTERX, LEAVEX */
void enter_thumbee(void*);

static void odd_states(void) {
    for (uint32_t n = 0; n < 200; ++n, tried += 3) {
        (void)guest_try(jazelle, NULL);
        (void)guest_try(enter_thumbee, NULL);
        expect(guest_try(breakpoint, NULL) == 3, "BKPT is its own prefetch abort", n);
    }
}

static void vfp(void* unused) {
    (void)unused;
    __asm__ volatile(".fpu neon\n\tvmov.i32 q0, #0xff\n\tvmov q15, q0\n\tvmsr fpscr, %0" ::"r"(0x03f79f9f));
}
static void vfp_storm(void) {
    uint32_t access;
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 2" : "=r"(access));
    for (uint32_t n = 0; n < 500; ++n, ++tried) {
        __asm__ volatile(".fpu neon\n\tvmsr fpexc, %0" ::"r"(n % 3 == 0 ? 0u : n % 3 == 1 ? 1u << 30 : 3u << 30));
        (void)guest_try(vfp, NULL);
        if (n % 7 == 0) {
            __asm__ volatile("mcr p15, 0, %0, c1, c0, 2\n\tisb" ::"r"(0));
            expect(guest_try(vfp, NULL) == 1, "VFP that it has switched off", n);
            __asm__ volatile("mcr p15, 0, %0, c1, c0, 2\n\tisb" ::"r"(access));
        }
        if (n % 16 == 0) { /* the neighbours get their turns, and leave nothing */
            uint64_t seen = 0;
            __asm__ volatile(".fpu neon\n\tvmsr fpexc, %1\n\tvmov.i32 q1, #0x77\n\tvmov.i32 q9, #0x77" : "=&r"(seen) : "r"(1u << 30));
            timer_set(timer_now() + timer_frequency() / 2000);
            wait_for_interrupt();
            __asm__ volatile(".fpu neon\n\tvmov %Q0, %R0, d19" : "=r"(seen));
            expect(seen == 0x0000007700000077u, "another's VFP register", (uint32_t)seen);
        }
    }
    __asm__ volatile(".fpu neon\n\tvmsr fpexc, %0" ::"r"(1u << 30));
    timer_stop();
}

static void discard(void* at) { __asm__ volatile("mcr p15, 0, %0, c7, c6, 1\n\tdsb" ::"r"(at) : "memory"); }
static uint32_t line[16] __attribute__((aligned(64)));
static void cache_by_address(void) {
    static const uint32_t places[] = {0, 0x08000000, 0x08010000, 0x09000000, 0x1c000000, 0x40200000, 0xf0000000, 0xffffffc0};
    for (uint32_t n = 0; n < sizeof places / sizeof *places; ++n, ++tried) (void)guest_try(discard, (void*)places[n]);
    for (uint32_t n = 0; n < 2000; ++n, ++tried) {
        __asm__ volatile("mcr p15, 0, %0, c7, c14, 1\n\tdsb" ::"r"(line) : "memory"); /* what is in memory may be had again */
        discard(line);
    }
}

static void on_timer(uint32_t intid) { (void)intid; }

int main(void) {
    interrupts_off();
    interrupts_init();
    interrupt_enable(TIMER_INTERRUPT, 0x80, on_timer); /* it wakes from WFI, and is never taken */
    code_in_devices();
    odd_accesses();
    banks();
    odd_states();
    vfp_storm();
    cache_by_address();
    return told("oddities", tried);
}
