/* A partition programs a device of its own to read and write what is not its own: the hypervisor, other partitions, the page of message
 * interrupts, the System MMU, and its own memory through addresses of another life. Rows 29 and 30 of docs/security.md. What is reached
 * by the device is looked at by the device again, and by the neighbours. In a life after the first it checks that memory is its own. */
#include "../../examples/passthrough/edu.h"
#include "foreign.h"

static uint32_t base, function;
static uint32_t page[1024] __attribute__((aligned(4096)));

/* Its configuration space in ways that it may not be used. */
static uint32_t sweep_configuration(void) {
    uint32_t done = 0;
    for (uint32_t n = 0; n < 256; ++n) {
        if (n == function) continue;
        expect(pci_read(n, 0) == ~0u, "a function of another partition answers", n);
        pci_write(n, 4, 0x7);
        pci_write(n, 0x10, 0x40200000u);
        expect(pci_read(n, 0x10) == ~0u, "a function of another partition has a register", n);
        ++done;
    }
    const uint32_t address = pci_read(function, 0x10);
    for (uint32_t bit = 0; bit < 32; ++bit, ++done) {
        pci_write(function, 0x10, 1u << bit);
        expect(pci_read(function, 0x10) == address, "a base address register moved", bit);
    }
    pci_write(function, 0x10, ~0u);
    expect(pci_read(function, 0x10) == 0xfff00000u, "a base address register tells its size", pci_read(function, 0x10));
    pci_write(function, 0x10, address);
    pci_write(function, 0x30, ~0u);
    expect(pci_read(function, 0x30) == 0, "an expansion ROM", pci_read(function, 0x30));
    /* Messages are not this partition's: no capability says so, nowhere. */
    for (uint32_t at = pci_read(function, 0x34) & 0xffu, n = 0; at != 0 && n < 48; ++n, ++done) {
        const uint32_t word = pci_read(function, at);
        expect((word & 0xffu) != 0x05 && (word & 0xffu) != 0x11, "a capability of message interrupts", at);
        at = word >> 8 & 0xfcu;
    }
    for (uint32_t offset = 0x40; offset < 0x1000; offset += 4, ++done) {
        const uint32_t before = pci_read(function, offset);
        pci_write(function, offset, ~0u);
        pci_write(function, offset, next_random());
        pci_write(function, offset, before);
        expect(offset < 0x100 || pci_read(function, offset) == 0, "extended configuration space", offset);
    }
    expect(pci_address(function, 0) == (address & ~0xfu), "the address after the sweep", pci_address(function, 0));
    expect((pci_read(function, 4) & 1u) == 0, "I/O ports", pci_read(function, 4));
    pci_enable(function);
    expect(*edu_at(base, EDU_ID) == 0x010000edu, "the device after the sweep", *edu_at(base, EDU_ID));
    return done;
}

/* One copy of the device; it gives up by itself where the System MMU stops it. */
static void copy(uint32_t address, bool to_memory) {
    edu_start_dma(base, address, 64, to_memory, false);
    const uint64_t give_up = timer_now() + timer_frequency() * 2ull;
    while (edu_busy(base) && timer_now() < give_up) {
    }
    expect(!edu_busy(base), "the device hangs", address);
}

/* What the device was doing when an earlier life ended comes to its end off the bus: nothing of it arrives. */
static void wait_for_earlier_life(void) {
    pci_write(function, 4, 0x2);
    const uint64_t give_up = timer_now() + timer_frequency() * 2ull;
    while (edu_busy(base) && timer_now() < give_up) {
    }
    expect(!edu_busy(base), "the device hangs in this life", life_number());
    for (unsigned n = 0; n < 1024; ++n) expect(page[n] == 0, "something of an earlier life arrived", n);
}

static bool works(void) {
    for (uint32_t n = 0; n < 16; ++n) page[n] = SECRET + n, page[32 + n] = 0;
    copy((uint32_t)(uintptr_t)page, false);
    copy((uint32_t)(uintptr_t)(page + 32), true);
    for (uint32_t n = 0; n < 16; ++n)
        if (page[32 + n] != SECRET + n) return false;
    return true;
}

#define TARGETS 5u

static uint32_t target_of(uint32_t life) {
    static const uint32_t targets[TARGETS] = {
        BEHIND_MEMORY, MESSAGES, SYSTEM_MMU, DISTRIBUTOR, LAST_PAGE,
    };
    return targets[(life - 1) % TARGETS];
}

int main(void) {
    const int found = pci_find(EDU_VENDOR, EDU_DEVICE);
    expect(found >= 0, "no device", 0);
    if (found < 0) return told("dma", 0);
    function = (uint32_t)found;
    const uint32_t life = life_number();
    if (life == 1) {
        expect((pci_read(function, 4) & 0x7u) == 0, "the device is on the bus at once", pci_read(function, 4));
        pci_enable(function);
        base = pci_address(function, 0);
        (void)sweep_configuration();
    }
    base = pci_address(function, 0);
    wait_for_earlier_life();
    pci_enable(function);
    expect(works(), "the device does not work in this life", life);
    for (unsigned n = 0; n < 1024; ++n) page[n] = 0;
    __asm__ volatile("dsb" ::: "memory");
    const uint32_t target = target_of(life);
    if (life > TARGETS) return told("dma", life);
    if (failures != 0) return told("dma", life);
    console_printf("life %u: reaches for 0x%08x\n", (unsigned)life, (unsigned)target);
    /* A secret leaves for a place that is not ours, and something comes from there; then again and again: the first is told, the others
     * end without a trace. */
    copy(target, life % 2 != 0);
    for (uint32_t n = 0; n < 2; ++n) {
        pci_enable(function); /* it was cut off: this does not help */
        copy(target, n % 2 != 0);
    }
    expect(!works(), "the device works after it was cut off", life);
    if (failures != 0) return told("dma", life);
    /* A copy that is under way when this life ends must not reach into the next. */
    edu_start_dma(base, (uint32_t)(uintptr_t)page, 4096, true, false);
    restart();
}
