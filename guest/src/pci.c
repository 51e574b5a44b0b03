/* PCI functions that the partition owns: configuration space at PARTITA_PCI_CONFIG, one page each. */
#include "partita/guest/guest.h"
#include "partita/system_image.h"
#include "partita/guest/tree.h"

#define FUNCTIONS 256u
#define COMMAND 0x04u
#define MEMORY_AND_MASTER 0x6u
#define BAR0 0x10u

static volatile uint32_t *config(uint32_t function, uint32_t offset) {
    return (volatile uint32_t *)(PARTITA_PCI_CONFIG + function * 0x1000u + (offset & 0xffcu));
}

uint32_t pci_read(uint32_t function, uint32_t offset) { return *config(function, offset); }
void pci_write(uint32_t function, uint32_t offset, uint32_t value) { *config(function, offset) = value; }

int pci_find(uint16_t vendor, uint16_t device) {
    uint32_t bytes = 0;
    if (tree_property("bus-range", &bytes) == NULL) return -1; /* there is no bus */
    for (uint32_t n = 0; n < FUNCTIONS; ++n)
        if (pci_read(n, 0) == ((uint32_t)device << 16 | vendor)) return (int)n;
    return -1;
}

uint32_t pci_address(uint32_t function, unsigned bar) { return pci_read(function, BAR0 + bar * 4) & ~0xfu; }

void device_barrier(void) { __asm__ volatile("dsb sy" ::: "memory"); }

void pci_enable(uint32_t function) { pci_write(function, COMMAND, MEMORY_AND_MASTER); }

/* Rows of <function 0 0 pin, parent 0 0, type number flags>. */
uint32_t pci_interrupt(uint32_t function) {
    uint32_t bytes = 0;
    const uint32_t *const map = tree_property("interrupt-map", &bytes);
    for (uint32_t n = 0; n + 10 <= bytes / 4; n += 10)
        if (tree_cell(map + n) == function << 8) return tree_cell(map + n + 8) + 32;
    return 0;
}
