// The same registers as variables, so that logic above them runs under test on the host.
#pragma once

#include <cstdint>

namespace partita {

template <unsigned Opc1, unsigned Crn, unsigned Crm, unsigned Opc2>
struct Cp15 {
    inline static std::uint32_t value = 0;
    [[nodiscard]] static std::uint32_t read() { return value; }
    static void write(std::uint32_t word) { value = word; }
};

template <unsigned Opc1, unsigned Crm>
struct Cp15Long {
    inline static std::uint64_t value = 0;
    [[nodiscard]] static std::uint64_t read() { return value; }
    static void write(std::uint64_t word) { value = word; }
};

template <unsigned Opc1, unsigned Crn, unsigned Crm, unsigned Opc2>
struct Cp14 {
    inline static std::uint32_t value = 0;
    [[nodiscard]] static std::uint32_t read() { return value; }
    static void write(std::uint32_t word) { value = word; }
};

}  // namespace partita
