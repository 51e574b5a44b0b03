// Device registers as a map, so that a test can set what is read and see what was written.
#pragma once

#include <cstdint>
#include <map>

namespace partita {

inline std::map<std::uintptr_t, std::uint32_t> fake_mmio;

[[nodiscard]] inline std::uint32_t read32(std::uintptr_t address) {
    const auto at = fake_mmio.find(address);
    return at == fake_mmio.end() ? 0 : at->second;
}
inline void write32(std::uintptr_t address, std::uint32_t value) { fake_mmio[address] = value; }
inline void write8(std::uintptr_t address, std::uint8_t value) { fake_mmio[address] = value; }

}  // namespace partita
