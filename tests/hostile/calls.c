/* Rows 13, 14, 16: HVC and SMC with every kind of function and argument. What is not for a partition is -1, registers that are no result
 * keep what they had, and nothing else happens. */
#include "hostile.h"

static const uint32_t arguments[] = {0,          1,          2,          3,          0x7fffffff, 0x80000000,
                                     0xffffffff, 0x40000000, 0x401ffffc, 0x40200000, 0x40010002, 0xfffff000};

static uint32_t argument(void) {
    return next_random() % 3 == 0 ? next_random() : arguments[next_random() % (sizeof arguments / sizeof *arguments)];
}

static uint32_t by_smc(uint32_t function, uint32_t a, uint32_t b, uint32_t c) {
    register uint32_t r0 __asm__("r0") = function;
    register uint32_t r1 __asm__("r1") = a;
    register uint32_t r2 __asm__("r2") = b;
    register uint32_t r3 __asm__("r3") = c;
    __asm__ volatile(".arch_extension sec\n\tsmc #0" : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)::"memory");
    return r0;
}

/* What would end or start something, rightly. */
static bool legal(uint32_t function) {
    return function == PSCI_SYSTEM_OFF || function == PSCI_SYSTEM_RESET || function == PSCI_CPU_OFF || function == PSCI_CPU_SUSPEND;
}

int main(void) {
    uint32_t tried = 0;
    for (uint32_t n = 0; n < 1000000; ++n, ++tried) {
        uint32_t function = next_random();
        switch (function % 4) {
            case 0: function = 0x84000000u | (function >> 8 & 0x3f); break;                /* PSCI */
            case 1: function = 0x8600ff00u | (function >> 8 & 0x3f); break;                /* the hypervisor's */
            case 2: function = (function & 0xff00ffffu) | (function & 0x40000000u); break; /* 64-bit, other owners */
            default: break;
        }
        if (legal(function)) continue;
        const uint32_t a = argument(), b = argument(), c = argument();
        if (n % 4 == 3) {
            (void)by_smc(function, a, b, c);
            continue;
        }
        const struct hypercall_result result = hypercall(function, a, b, c);
        if ((function & 0xff000000u) != 0x84000000u && (function & 0xffffff00u) != 0x8600ff00u && (function & 0xffff0000u) != 0x80000000u)
            expect(result.r0 == 0xffffffffu && result.r1 == a && result.r2 == b && result.r3 == c, "an unknown call does something",
                   function);
    }
    for (uint32_t n = 0; n < 64; ++n) {
        expect((int32_t)hypercall(PSCI_CPU_ON, 0x100 + n, 0x40010000, 0).r0 == PSCI_INVALID_PARAMETERS, "CPU_ON of another's CPU", n);
        expect((int32_t)hypercall(PSCI_CPU_ON, 0, 0x40010000 + n, 0).r0 != PSCI_SUCCESS, "CPU_ON of oneself", n);
    }
    return told("calls", tried);
}
