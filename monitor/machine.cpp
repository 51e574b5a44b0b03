#include "machine.hpp"

#include <cstddef>

extern "C" const partita_monitor_header _start;

namespace partita::monitor {

using std::uint32_t;

namespace {

// Of the header at the begin of start.S.
static_assert(offsetof(partita_monitor_header, memory) == HEADER_MEMORY && offsetof(partita_monitor_header, gicd) == HEADER_GICD &&
              offsetof(partita_monitor_header, gicc) == HEADER_GICC && offsetof(partita_monitor_header, uart) == HEADER_UART &&
              offsetof(partita_monitor_header, power_at) == HEADER_POWER_AT && offsetof(partita_monitor_header, console) == 44 &&
              offsetof(partita_monitor_header, frequency) == HEADER_FREQUENCY &&
              offsetof(partita_monitor_header, secure_at) == HEADER_SECURE_AT && offsetof(partita_monitor_header, mpidr) == 64 &&
              sizeof(partita_monitor_header) == 116);

// GICv2 (IHI 0048B 4.1, 4.3, 4.4).
constexpr uint32_t gicd_ctlr = gicd, gicd_typer = gicd + 0x4, gicd_igroupr = gicd + 0x80, gicd_isenabler = gicd + 0x100,
                   gicd_ipriorityr = gicd + 0x400, gicd_itargetsr = gicd + 0x800, gicd_sgir = gicd + 0xf00;
constexpr uint32_t gicc_ctlr = gicc, gicc_pmr = gicc + 0x4, gicc_iar = gicc + 0xc, gicc_eoir = gicc + 0x10;
constexpr uint32_t both_groups = 3, fiq_enable = 8, to_others = 1u << 24;
constexpr uint32_t interrupt_mask = 0x3ff;
constexpr uint32_t lower_half = 0x8080'8080;  // priorities of four interrupts: the other world's highest

// CPU n of the description need not be interface n: each tells its own, of which interrupt 0 tells the number (IHI 0048B 4.3.12).
uint32_t interfaces[PARTITA_MONITOR_CPUS];

// PL061 (DDI 0190B 3.3): the address says which lines a write of data reaches.
void raise_line(uint32_t line) {
    constexpr uint32_t direction = 0x400;
    write32(power + direction, read32(power + direction) | 1u << line);
    write32(power + (4u << line), 1u << line);
}

// The motherboard's own functions 8, to power off, and 9, to reset (DUI 0447, SYS_CFGCTRL).
void configure_system(uint32_t function) {
    constexpr uint32_t control = 0xa4, start_write = 0xc000'0000;
    write32(power + control, start_write | function << 20);
}

}  // namespace

void open_distributor() {
    const uint32_t words = (read32(gicd_typer) & 0x1fu) + 1;
    for (uint32_t word = 1; word < words; ++word) write32(gicd_igroupr + word * 4, ~0u);
    for (uint32_t id = 32; id < words * 32; id += 4) write32(gicd_ipriorityr + id, lower_half);
    write32(gicd_ctlr, both_groups);
}

// What is the secure world's is of a higher priority than all that the other can give (IHI 0048B 3.8.5): and than what its interrupts have
// after reset, which is the highest.
void open_interface(uint32_t cpu) {
    write32(gicd_igroupr, ~secure_interrupts);
    for (uint32_t id = 0; id < 32; id += 4) write32(gicd_ipriorityr + id, id >= 8 && id < 16 ? 0 : lower_half);
    write32(gicd_isenabler, 1u << wake_sgi);
    interfaces[cpu] = read32(gicd_itargetsr) & 0xff;
    write32(gicc_pmr, 0xff);
    write32(gicc_ctlr, both_groups | fiq_enable);
    asm volatile("dsb" ::: "memory");  // who does not see it yet has named this CPU before, and this CPU sees that when it looks
}

void wake(uint32_t cpu) {
    asm volatile("dsb" ::: "memory");
    write32(gicd_sgir, interfaces[cpu] << 16 | wake_sgi);
}

void wake_others() {
    asm volatile("dsb" ::: "memory");
    write32(gicd_sgir, to_others | wake_sgi);
}

bool take_interrupt() {
    const uint32_t taken = read32(gicc_iar), id = taken & interrupt_mask;
    if (id >= 1020) return false;
    write32(gicc_eoir, taken);
    return id == wake_sgi;
}

void end(bool reset) {
    if (_start.power == PARTITA_POWER_PL061) raise_line(reset ? 1 : 0);
    if (_start.power == PARTITA_POWER_SYS_CFG) configure_system(reset ? 9 : 8);
    for (;;) wait_for_interrupt();
}

void print(const char* text) {
    constexpr uint32_t flags = 0x18, full = 0x20;
    for (; *text != 0; ++text) {
        while ((read32(uart + flags) & full) != 0) {
        }
        write32(uart, static_cast<uint32_t>(*text));
    }
}

void print(uint32_t value) {
    char digits[11] = "0x";
    for (uint32_t n = 0; n < 8; ++n) digits[2 + n] = "0123456789abcdef"[value >> (28 - 4 * n) & 0xf];
    digits[10] = 0;
    print(digits);
}

}  // namespace partita::monitor
