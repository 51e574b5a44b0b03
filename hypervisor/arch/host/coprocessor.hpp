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

// Address translation: PAR becomes what a test says, where it says something.
struct FakeTranslation {
    virtual ~FakeTranslation() = default;
    [[nodiscard]] virtual std::uint64_t translate(std::uint32_t address, bool write, bool privileged) = 0;
};
inline FakeTranslation* fake_translation = nullptr;

template <unsigned Opc2>
struct Cp15<0, 7, 8, Opc2> {
    static void write(std::uint32_t address) {
        if (fake_translation != nullptr) Cp15Long<0, 7>::value = fake_translation->translate(address, (Opc2 & 1u) != 0, (Opc2 & 2u) == 0);
    }
};

template <unsigned Opc1, unsigned Crn, unsigned Crm, unsigned Opc2>
struct Cp14 {
    inline static std::uint32_t value = 0;
    [[nodiscard]] static std::uint32_t read() { return value; }
    static void write(std::uint32_t word) { value = word; }
};

}  // namespace partita
