/* Rows 3 and 4: the guest's own translation tables in a device, in nothing, and in themselves. Each is an abort of the guest's own: it
 * looks at such tables with a second set of TTBCR.N, so that it goes on by the first. */
#include "hostile.h"

#define LOW_TABLE_SIZE 0x80u /* TTBCR.N = 7: 32 MiB by TTBR0 */

static void read_low(void* at) { (void)REG32(at); }
static void write_low(void* at) { REG32(at) = 0x5a5a5a5au; }

static uint32_t saved_ttbr0;

/* TTBR1 goes on with the table that maps everything; TTBR0 becomes `low` for the first 32 MiB. */
static void use(uint32_t low) {
    __asm__ volatile(
        "mcr p15, 0, %0, c2, c0, 1\n\tisb\n\tmcr p15, 0, %2, c2, c0, 2\n\tisb\n\tmcr p15, 0, %1, c2, c0, 0\n\tisb\n\tmcr p15, 0, %3, c8, "
        "c7, 0\n\tdsb\n\tisb" ::"r"(saved_ttbr0),
        "r"(low), "r"(7), "r"(0)
        : "memory");
}
static void restore(void) {
    __asm__ volatile(
        "mcr p15, 0, %1, c2, c0, 0\n\tisb\n\tmcr p15, 0, %0, c2, c0, 2\n\tisb\n\tmcr p15, 0, %0, c8, c7, 0\n\tdsb\n\tisb" ::"r"(0),
        "r"(saved_ttbr0)
        : "memory");
}

static uint32_t own[LOW_TABLE_SIZE / 4] __attribute__((aligned(128)));

int main(void) {
    uint32_t tried = 0;
    __asm__ volatile("mrc p15, 0, %0, c2, c0, 0" : "=r"(saved_ttbr0));
    const uint32_t places[] = {0x08000000u, 0x08000400u, 0x09000000u, 0x08010000u, 0x1c000000u,
                               0x00000000u, 0x40200000u, 0xf0000000u, 0xffffff80u};
    for (uint32_t n = 0; n < sizeof places / sizeof *places; ++n, tried += 2) {
        use(places[n]);
        const int read = guest_try(read_low, (void*)0x00100000u), write = guest_try(write_low, (void*)0x01f00000u);
        restore();
        expect(read == 4 && write == 4, "tables that are none", places[n]);
    }
    /* Second-level tables that are the first-level one: a coarse descriptor at each entry points at the table itself. */
    for (uint32_t n = 0; n < LOW_TABLE_SIZE / 4; ++n) own[n] = ((uint32_t)(uintptr_t)own & ~0x3ffu) | 1u;
    __asm__ volatile("dsb" ::: "memory");
    use((uint32_t)(uintptr_t)own);
    for (uint32_t at = 0; at < 0x02000000u; at += 0x00101000u, ++tried) (void)guest_try(read_low, (void*)at);
    restore();
    expect(guest_try(read_low, (void*)0x40000000u) == 0, "its own memory is gone", 0);
    return told("tables", tried);
}
