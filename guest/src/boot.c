/* The MMU, and what happens when something goes wrong. */
#include "coprocessor.h"
#include "partita/guest/guest.h"

void guest_mmu_on(void);
void guest_map_shared(uint32_t address, uint32_t size, bool cached);
void guest_unexpected(uint32_t kind, uint32_t link) __attribute__((noreturn));

/* Short-descriptor sections of 1 MiB (ARM DDI 0406C.d B3.5.1). */
static uint32_t table[4096] __attribute__((aligned(16384), section(".noinit")));

#define SECTION 0x2u
#define FULL_ACCESS (3u << 10)
#define SHAREABLE (1u << 16)
#define NORMAL_WRITE_BACK ((1u << 12) | (3u << 2)) /* TEX 1, C, B */
#define DEVICE (1u << 2)
#define EXECUTE_NEVER (1u << 4)

/* Sections of shared memory, which nobody executes. What a section was is taken away first, in all CPUs (B3.9.1): its attributes change. */
void guest_map_shared(uint32_t address, uint32_t size, bool cached) {
    for (uint32_t n = address >> 20; n <= (address + size - 1) >> 20; ++n) {
        table[n] = 0;
        barrier_dsb();
        write_tlbiallis(0);
        barrier_dsb();
        table[n] = n << 20 | SECTION | FULL_ACCESS | EXECUTE_NEVER | (cached ? NORMAL_WRITE_BACK | SHAREABLE : DEVICE);
    }
    barrier_dsb();
    barrier_isb();
}

/* RAM, and address 0 for partitions with boot memory, as normal memory; all else as device. */
void guest_mmu_on(void) {
    for (uint32_t n = 0; n < 4096; ++n) {
        const int memory = n >= 0x400 || n < 0x40;
        table[n] = n << 20 | SECTION | FULL_ACCESS | (memory ? NORMAL_WRITE_BACK | SHAREABLE : DEVICE | EXECUTE_NEVER);
    }
    barrier_dsb();
    write_ttbcr(0);
    write_ttbr0((uint32_t)(uintptr_t)table | 0x4au); /* walks: write-back, shareable */
    write_dacr(1);
    write_tlbiall(0);
    write_iciallu(0);
    write_bpiall(0);
    barrier_dsb();
    barrier_isb();
    write_sctlr(read_sctlr() | 1u | 1u << 2 | 1u << 11 | 1u << 12); /* M, C, Z, I */
    barrier_isb();
}

__attribute__((weak)) void unexpected_exception(const char *what, uint32_t pc, uint32_t status, uint32_t address) {
    console_printf("unexpected %s at pc 0x%08x, status 0x%x, address 0x%08x: powering off\n", what, (unsigned)pc, (unsigned)status,
                   (unsigned)address);
    power_off();
}

void guest_unexpected(uint32_t kind, uint32_t link) {
    static const char *const names[] = {"reset",      "undefined instruction", "supervisor call", "prefetch abort",
                                        "data abort", "fast interrupt"};
    static const uint8_t behind[] = {0, 4, 4, 4, 8, 4};
    const int fetch = kind == 3;
    unexpected_exception(names[kind], link - behind[kind], fetch ? read_ifsr() : read_dfsr(), fetch ? read_ifar() : read_dfar());
}
