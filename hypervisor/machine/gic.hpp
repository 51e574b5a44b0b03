// The physical GICv2, as the hypervisor drives it. EOImode is 1: EOIR drops the priority, and DIR (or the guest's own EOI
// through a linked list register) deactivates (IHI 0048B §3.2.1).
#pragma once

#include <cstdint>

#include "machine/gic_registers.hpp"
#include "machine/layout.hpp"
#include "mmio.hpp"

namespace partita::gic {

// GICC and GICH by one address that the compiler keeps in a register, instead of a constant of two instructions for each access.
[[nodiscard]] inline std::uintptr_t interfaces() {
    std::uintptr_t address = layout::gicc;
    asm("" : "+r"(address));
    return address;
}
inline constexpr std::uintptr_t hyp = layout::gich - layout::gicc;

[[nodiscard]] inline std::uint32_t acknowledge() { return read32(interfaces() + gicc::IAR); }
// What acknowledge() would return, without taking it.
[[nodiscard]] inline std::uint32_t highest_pending() { return read32(interfaces() + gicc::HPPIR) & 0x3ffu; }
inline void drop_priority(std::uint32_t iar) { write32(interfaces() + gicc::EOIR, iar); }
inline void deactivate(std::uint32_t iar) { write32(layout::gicc + gicc::DIR, iar); }

[[nodiscard]] inline std::uint32_t bit_register(std::uint32_t base, std::uint32_t id) { return base + id / 32 * 4; }
inline void enable(std::uint32_t id) { write32(layout::gicd + bit_register(gicd::ISENABLER, id), 1u << id % 32); }
inline void disable(std::uint32_t id) { write32(layout::gicd + bit_register(gicd::ICENABLER, id), 1u << id % 32); }
inline void set_active(std::uint32_t id) { write32(layout::gicd + bit_register(gicd::ISACTIVER, id), 1u << id % 32); }
inline void clear_active(std::uint32_t id) { write32(layout::gicd + bit_register(gicd::ICACTIVER, id), 1u << id % 32); }
inline void set_pending(std::uint32_t id) { write32(layout::gicd + bit_register(gicd::ISPENDR, id), 1u << id % 32); }
inline void clear_pending(std::uint32_t id) { write32(layout::gicd + bit_register(gicd::ICPENDR, id), 1u << id % 32); }
inline void route(std::uint32_t id, std::uint8_t interface_mask) { write8(layout::gicd + gicd::ITARGETSR + id, interface_mask); }
// Level or edge, as the board wires it (IHI 0048B §4.3.13). While the interrupt is disabled, and at boot alone: four share a byte.
inline void configure(std::uint32_t id, bool edge) {
    const std::uintptr_t address = layout::gicd + gicd::ICFGR + id / 16 * 4;
    const std::uint32_t bit = 2u << id % 16 * 2;
    write32(address, edge ? read32(address) | bit : read32(address) & ~bit);
}
inline void send_sgi(std::uint32_t id, std::uint32_t interface_mask) { write32(layout::gicd + gicd::SGIR, interface_mask << 16 | id); }

[[nodiscard]] inline std::uint32_t empty_list_registers() { return read32(interfaces() + hyp + gich::ELRSR0); }
[[nodiscard]] inline std::uint32_t ended_list_registers() { return read32(layout::gich + gich::EISR0); }
[[nodiscard]] inline std::uint32_t list_register(unsigned n) { return read32(interfaces() + n * 4 + (hyp + gich::LR)); }
inline void set_list_register(unsigned n, std::uint32_t value) { write32(interfaces() + n * 4 + (hyp + gich::LR), value); }
[[nodiscard]] inline std::uint32_t virtual_control() { return read32(layout::gich + gich::HCR); }
inline void set_virtual_control(std::uint32_t value) { write32(layout::gich + gich::HCR, value); }
[[nodiscard]] inline std::uint32_t virtual_machine_control() { return read32(layout::gich + gich::VMCR); }
inline void set_virtual_machine_control(std::uint32_t value) { write32(layout::gich + gich::VMCR, value); }
[[nodiscard]] inline std::uint32_t active_priorities() { return read32(layout::gich + gich::APR); }
inline void set_active_priorities(std::uint32_t value) { write32(layout::gich + gich::APR, value); }
[[nodiscard]] inline unsigned list_register_count() { return (read32(layout::gich + gich::VTR) & 0x3fu) + 1; }

// One-time set-up of the distributor: all SPIs disabled, to interface 0.
void start_distributor();
// Per CPU. Returns this CPU's interface mask, as ITARGETSR0 tells it.
std::uint8_t start_cpu_interface();

}  // namespace partita::gic
