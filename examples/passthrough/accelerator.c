/* A partition that owns a device of the board: it programs the device's registers, takes its interrupt, and lets it copy to and from this
 * partition's memory, with no hypervisor between. Now and then it says how much was done. */
#include "edu.h"

static uint32_t base;
static volatile uint32_t interrupts;

static void on_interrupt(uint32_t intid) {
    (void)intid;
    *edu_at(base, EDU_IRQ_ACKNOWLEDGE) = *edu_at(base, EDU_IRQ_STATUS);
    ++interrupts;
}

static void wait_for(uint32_t seen) {
    while (interrupts == seen) {
        wait_for_interrupt();
        interrupts_on();
        interrupts_off();
    }
}

static uint32_t factorial(uint32_t n) {
    const uint32_t seen = interrupts;
    *edu_at(base, EDU_STATUS) = EDU_STATUS_INTERRUPT;
    *edu_at(base, EDU_FACTORIAL) = n;
    wait_for(seen);
    return *edu_at(base, EDU_FACTORIAL);
}

static uint32_t source[EDU_BUFFER_SIZE / 4] __attribute__((aligned(4096)));
static uint32_t target[EDU_BUFFER_SIZE / 4] __attribute__((aligned(4096)));

/* Out to the device and back. */
static bool copy_through(uint32_t seed) {
    for (uint32_t n = 0; n < EDU_BUFFER_SIZE / 4; ++n) source[n] = seed * 2654435761u + n, target[n] = 0;
    for (int back = 0; back < 2; ++back) {
        const uint32_t seen = interrupts;
        edu_start_dma(base, (uint32_t)(uintptr_t)(back ? target : source), EDU_BUFFER_SIZE, back, true);
        wait_for(seen);
    }
    for (uint32_t n = 0; n < EDU_BUFFER_SIZE / 4; ++n)
        if (target[n] != source[n]) return false;
    return true;
}

int main(void) {
    const int function = pci_find(EDU_VENDOR, EDU_DEVICE);
    if (function < 0) {
        console_write("accelerator: this partition has no edu device\n");
        return 1;
    }
    pci_enable((uint32_t)function);
    base = pci_address((uint32_t)function, 0);
    console_printf("accelerator: device %x at 0x%08x, interrupt %u\n", (unsigned)*edu_at(base, EDU_ID), (unsigned)base,
                   (unsigned)pci_interrupt((uint32_t)function));
    interrupts_init();
    interrupt_enable(pci_interrupt((uint32_t)function), 0x80, on_interrupt);
    uint32_t wrong = 0;
    for (uint32_t round = 1;; ++round) {
        wrong += factorial(10) != 3628800u;
        wrong += !copy_through(round);
        if (round != 5 && round != 10 && round % 100 != 0) continue;
        console_printf("%u rounds, %u interrupts, %u wrong\n", (unsigned)round, (unsigned)interrupts, (unsigned)wrong);
        if (round == 10) console_printf("accelerator: %s\n", wrong == 0 ? "ok" : "FAILED");
    }
}
