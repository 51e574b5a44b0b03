// Device accesses of a stated width, never split, merged or repeated by the compiler.
#pragma once

#include <cstdint>

namespace partita {

[[nodiscard]] inline std::uint32_t read32(std::uintptr_t address) {
    std::uint32_t value;
    asm volatile("ldr %0, %1" : "=r"(value) : "m"(*reinterpret_cast<const volatile std::uint32_t*>(address)));
    return value;
}
inline void write32(std::uintptr_t address, std::uint32_t value) {
    asm volatile("str %1, %0" : "=m"(*reinterpret_cast<volatile std::uint32_t*>(address)) : "r"(value));
}
inline void write16(std::uintptr_t address, std::uint16_t value) {
    asm volatile("strh %1, %0" : "=m"(*reinterpret_cast<volatile std::uint16_t*>(address)) : "r"(value));
}
inline void write8(std::uintptr_t address, std::uint8_t value) {
    asm volatile("strb %1, %0" : "=m"(*reinterpret_cast<volatile std::uint8_t*>(address)) : "r"(value));
}

}  // namespace partita
