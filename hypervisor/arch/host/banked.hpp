#pragma once

#include <array>
#include <cstdint>

namespace partita {

struct FakeBanks {
    std::uint32_t elr = 0, spsr = 0;
    std::array<std::array<std::uint32_t, 16>, 32> registers{};  // [mode][number]
    std::array<std::uint32_t, 32> spsr_of{};
};
inline FakeBanks fake_banks;

[[nodiscard]] inline std::uint32_t read_elr() { return fake_banks.elr; }
inline void write_elr(std::uint32_t value) { fake_banks.elr = value; }
[[nodiscard]] inline std::uint32_t read_spsr() { return fake_banks.spsr; }
[[nodiscard]] inline std::uint32_t trapped_state() { return fake_banks.spsr; }
inline void write_spsr(std::uint32_t value) { fake_banks.spsr = value; }
[[nodiscard]] inline std::uint32_t read_banked(std::uint32_t mode, unsigned which) { return fake_banks.registers.at(mode).at(which); }
inline void write_banked(std::uint32_t mode, unsigned which, std::uint32_t value) { fake_banks.registers.at(mode).at(which) = value; }
[[nodiscard]] inline std::uint32_t read_spsr_of(std::uint32_t mode) { return fake_banks.spsr_of.at(mode); }
inline void write_spsr_of(std::uint32_t mode, std::uint32_t value) { fake_banks.spsr_of.at(mode) = value; }

[[nodiscard]] inline std::uint32_t read_mvfr0() { return 0x10110222; }
[[nodiscard]] inline std::uint32_t read_mvfr1() { return 0x11111111; }

}  // namespace partita
