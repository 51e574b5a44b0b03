/* From PL1: what is the secure world's. Each attempt ends as an abort, or reads as nothing; and all the while the secure world's loop runs.
 */
#include "partita/guest/trusted.h"

static struct partita_trusted_page page __attribute__((aligned(4096)));
static unsigned failures;

static void check(bool good, const char* what) {
    console_printf("intruder: %s: %s\n", what, good ? "ok" : "WRONG");
    if (!good) ++failures;
}

static void read_word(void* at) { (void)*(volatile uint32_t*)at; }
static void write_word(void* at) { *(volatile uint32_t*)at = 0xbadbad00u; }
static bool out_of_reach(uint32_t at) {
    return guest_try(read_word, (void*)(uintptr_t)at) == 4 && guest_try(write_word, (void*)(uintptr_t)at) == 4;
}

static void write_scr(void* unused) {
    (void)unused;
    __asm__ volatile("mcr p15, 0, %0, c1, c1, 0" ::"r"(0));
}
static void write_nsacr(void* unused) {
    (void)unused;
    __asm__ volatile("mcr p15, 0, %0, c1, c1, 2" ::"r"(0));
}
static void write_mvbar(void* unused) {
    (void)unused;
    __asm__ volatile("mcr p15, 0, %0, c12, c0, 1" ::"r"(0));
}
static void write_frequency(void* unused) {
    (void)unused;
    __asm__ volatile("mcr p15, 0, %0, c14, c0, 0" ::"r"(1));
}
static void to_monitor_mode(void* mode) {
    (void)mode;
    uint32_t before, after;
    __asm__ volatile(
        "mrs %0, cpsr\n\tmov r3, %0\n\tbic r3, r3, #0x1f\n\torr r3, r3, #0x16\n\tmsr cpsr_c, r3\n\tmrs %1, cpsr\n\tmsr cpsr_c, %0"
        : "=&r"(before), "=&r"(after)::"r3");
    if ((after & 0x1f) == 0x16) console_write("intruder: in Monitor mode: WRONG\n");
}

static uint32_t seed = 4711;
static uint32_t random_word(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed ^ seed >> 15;
}

static struct hypercall_result smc(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    register uint32_t r0 __asm__("r0") = a;
    register uint32_t r1 __asm__("r1") = b;
    register uint32_t r2 __asm__("r2") = c;
    register uint32_t r3 __asm__("r3") = d;
    __asm__ volatile(".arch_extension sec\n\tsmc #0" : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)::"r12", "memory");
    return (struct hypercall_result){r0, r1, r2, r3};
}

/* Functions of every owner, fast ones and others, 32 and 64 bits, with random arguments: this partition may ask for `hash` alone. */
static void storm(void) {
    unsigned answered = 0, refused = 0, others = 0;
    for (unsigned n = 0; n < 50000; ++n) {
        uint32_t function = (random_word() & 0xff000000u) | (random_word() & (n % 2 ? 0x1fu : 0xffffu));
        if (n % 4 == 0) function = PARTITA_TRUSTED_CALL + (random_word() & 0x3fu);
        const uint32_t psci = function & 0xbfffffe0u;
        if (psci == 0x84000000u) continue; /* the hypervisor's own answers: they end what runs here */
        if ((function & 0xbf000000u) == 0x86000000u) continue;
        const uint32_t where = random_word() % 3 ? random_word() : (uint32_t)(uintptr_t)&page;
        const struct hypercall_result result = smc(function, where, random_word(), random_word());
        if (result.r0 == PARTITA_TRUSTED_OK) {
            ++answered;
            if (function != PARTITA_TRUSTED_CALL + PARTITA_TRUSTED_HASH && function != PARTITA_TRUSTED_CANCEL) ++others;
        } else if ((int32_t)result.r0 < 0 && (int32_t)result.r0 >= -9) {
            ++refused;
        } else if (function == PARTITA_TRUSTED_CALL + PARTITA_TRUSTED_HASH && result.r0 == PARTITA_TRUSTED_INTERRUPTED) {
            ++answered;
            (void)smc(PARTITA_TRUSTED_RESUME, result.r1, 0, 0);
        } else if (function != SMCCC_VERSION && function != PARTITA_TRUSTED_UID && function != PARTITA_TRUSTED_REVISION) {
            console_printf("intruder: %x answered %x\n", (unsigned)function, (unsigned)result.r0);
            ++others;
        }
        page.input_size = random_word() & 0xfffu;
    }
    check(answered != 0 && refused > 10000 && others == 0, "a storm of calls");
}

int main(void) {
    check(out_of_reach(0x0e000000u) && out_of_reach(0x0e200000u) && out_of_reach(0x0efff000u), "secure memory");
    check(out_of_reach(0x09040000u), "the secure UART");
    check(out_of_reach(0x090b0000u), "what powers the board off");
    check(out_of_reach(0x00000000u), "the secure flash");
    check(guest_try(write_scr, NULL) == 1, "SCR");
    check(guest_try(write_nsacr, NULL) == 1, "NSACR");
    check(guest_try(write_mvbar, NULL) == 1, "MVBAR");
    check(guest_try(write_frequency, NULL) == 1, "CNTFRQ");
    (void)guest_try(to_monitor_mode, NULL);
    page.input_size = 3;
    check(trusted_call(PARTITA_TRUSTED_HASH, &page, 0, NULL) == PARTITA_TRUSTED_OK, "what it may ask");
    storm();
    trusted_cancel(); /* the storm may have left a call in the middle */
    page.input_size = 3;
    check(trusted_call(PARTITA_TRUSTED_HASH, &page, 0, NULL) == PARTITA_TRUSTED_OK, "and it still may");
    console_printf("intruder: %s\n", failures ? "FAILED" : "done");
    return 0;
}
