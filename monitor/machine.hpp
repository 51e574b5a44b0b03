// The board as the monitor sees it: where its devices are mapped, and the coprocessor's instructions that it needs.
#pragma once

#include <cstdint>

#include "layout.h"
#include "partita/monitor.h"

namespace partita::monitor {

// tables.S maps them there.
inline constexpr std::uint32_t gicd = MONITOR_DEVICES, gicc = gicd + 0x1000, uart = gicd + 0x3000, power = gicd + 0x4000;

inline constexpr std::uint32_t wake_sgi = WAKE_SGI;
// SGIs 8 to 15, and the secure timer's interrupt, are the secure world's (group 0).
inline constexpr std::uint32_t secure_interrupts = 0xff00u | 1u << 29;

inline void write32(std::uint32_t at, std::uint32_t value) { *reinterpret_cast<volatile std::uint32_t*>(at) = value; }
[[nodiscard]] inline std::uint32_t read32(std::uint32_t at) { return *reinterpret_cast<const volatile std::uint32_t*>(at); }
inline void wait_for_interrupt() { asm volatile("dsb\n\twfi" ::: "memory"); }

// The distributor, once for the board; then each CPU's own part of the GIC.
void open_distributor();
void open_interface(std::uint32_t cpu);
// Makes a CPU that is off look whether it was started; all others, to begin with: where they are is not known yet.
void wake(std::uint32_t cpu);
void wake_others();
// A secure interrupt: whether it was the one that wakes.
bool take_interrupt();

// Powers the board off, or resets it; where it cannot be, this CPU stops.
[[noreturn]] void end(bool reset);

void print(const char* text);
void print(std::uint32_t value);

}  // namespace partita::monitor
