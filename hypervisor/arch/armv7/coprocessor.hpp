// MRC, MCR, MRRC and MCRR with the register as template arguments: one instruction, no table.
#pragma once

#include <cstdint>

namespace partita {

template <unsigned Opc1, unsigned Crn, unsigned Crm, unsigned Opc2>
struct Cp15 {
    [[nodiscard]] static std::uint32_t read() {
        std::uint32_t value;
        asm volatile("mrc p15, %c1, %0, c%c2, c%c3, %c4" : "=r"(value) : "i"(Opc1), "i"(Crn), "i"(Crm), "i"(Opc2));
        return value;
    }
    static void write(std::uint32_t value) {
        asm volatile("mcr p15, %c1, %0, c%c2, c%c3, %c4" ::"r"(value), "i"(Opc1), "i"(Crn), "i"(Crm), "i"(Opc2) : "memory");
    }
};

template <unsigned Opc1, unsigned Crm>
struct Cp15Long {
    [[nodiscard]] static std::uint64_t read() {
        std::uint64_t value;
        asm volatile("mrrc p15, %c1, %Q0, %R0, c%c2" : "=r"(value) : "i"(Opc1), "i"(Crm));
        return value;
    }
    static void write(std::uint64_t value) { asm volatile("mcrr p15, %c1, %Q0, %R0, c%c2" ::"r"(value), "i"(Opc1), "i"(Crm) : "memory"); }
};

template <unsigned Opc1, unsigned Crn, unsigned Crm, unsigned Opc2>
struct Cp14 {
    [[nodiscard]] static std::uint32_t read() {
        std::uint32_t value;
        asm volatile("mrc p14, %c1, %0, c%c2, c%c3, %c4" : "=r"(value) : "i"(Opc1), "i"(Crn), "i"(Crm), "i"(Opc2));
        return value;
    }
    static void write(std::uint32_t value) {
        asm volatile("mcr p14, %c1, %0, c%c2, c%c3, %c4" ::"r"(value), "i"(Opc1), "i"(Crn), "i"(Crm), "i"(Opc2) : "memory");
    }
};

}  // namespace partita
