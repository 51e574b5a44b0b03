// The board's PL011 (Arm DDI 0183G §3.2), which carries all channels. Firmware has set its speed.
#pragma once

#include <cstdint>
#include <optional>

#include "machine/layout.hpp"
#include "mmio.hpp"

namespace partita::uart {

namespace registers {
inline constexpr std::uint32_t DR = 0x00, FR = 0x18, LCRH = 0x2c, CR = 0x30, IFLS = 0x34, IMSC = 0x38, ICR = 0x44;
inline constexpr std::uint32_t receive_empty = 1u << 4, transmit_full = 1u << 5;
inline constexpr std::uint32_t receive_interrupt = 1u << 4, transmit_interrupt = 1u << 5, timeout_interrupt = 1u << 6;
}  // namespace registers

inline void start() {
    write32(layout::uart + registers::LCRH, 3u << 5 | 1u << 4);  // 8 bits, FIFOs on
    write32(layout::uart + registers::CR, 1u << 9 | 1u << 8 | 1u);
    write32(layout::uart + registers::IFLS, 0);
    write32(layout::uart + registers::IMSC, registers::receive_interrupt | registers::timeout_interrupt);
}

[[nodiscard]] inline bool can_send() { return (read32(layout::uart + registers::FR) & registers::transmit_full) == 0; }
inline void send(std::uint8_t byte) { write32(layout::uart + registers::DR, byte); }
[[nodiscard]] inline std::optional<std::uint8_t> receive() {
    if ((read32(layout::uart + registers::FR) & registers::receive_empty) != 0) return std::nullopt;
    return static_cast<std::uint8_t>(read32(layout::uart + registers::DR));
}
// Whether to be interrupted when there is room to send again.
inline void want_room(bool wanted) {
    constexpr std::uint32_t always = registers::receive_interrupt | registers::timeout_interrupt;
    write32(layout::uart + registers::IMSC, wanted ? always | registers::transmit_interrupt : always);
}
// All but the receive interrupts: those go away with what is read, and must stay where bytes are left.
inline void acknowledge() {
    write32(layout::uart + registers::ICR, 0x7ffu & ~(registers::receive_interrupt | registers::timeout_interrupt));
}

}  // namespace partita::uart
