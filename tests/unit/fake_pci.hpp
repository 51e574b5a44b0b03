// The configuration space of a PCI function, as hardware has it: registers that tell their size, bits that stay, a list of capabilities.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "machine/layout.hpp"
#include "mmio.hpp"

namespace partita {

class FakePci final : public FakeDevice {
public:
    static constexpr std::uint32_t id = 0x0010'1b36, power = 0x40, msi = 0x50, allocation = 0x60, express = 0x70, msix = 0xb0, odd = 0xc0;
    static constexpr std::array<std::uint32_t, 6> masks{0xffff'c004, 0xffff'ffff, 0xffff'f000, 0, 0, 0};

    explicit FakePci(std::uintptr_t at = layout::pci) : at_(at) {
        put(0x00, id);
        put(0x04, 1u << 20);  // it has a list
        put(0x34, power);
        put(0x3c, 0x0100);  // INTA
        put(power, 0x0001 | msi << 8);
        put(msi, 0x0005 | allocation << 8);
        put(allocation, 0x0014 | express << 8);
        put(express, 0x0010 | msix << 8);
        put(express + 4, 1u << 28);  // it can be reset
        put(msix, 0x0011 | odd << 8);
        put(odd, 0x0003);         // vital product data
        put(0x100, 0x0001'000f);  // ATS
    }

    bool read(std::uintptr_t address, std::uint32_t& value) override {
        if (!mine(address)) return false;
        value = word(static_cast<std::uint32_t>(address - at_));
        return true;
    }
    bool write(std::uintptr_t address, std::uint32_t value) override {
        if (!mine(address)) return false;
        store(static_cast<std::uint32_t>(address - at_), 4, value);
        return true;
    }
    bool write_narrow(std::uintptr_t address, unsigned size, std::uint32_t value) override {
        if (!mine(address)) return false;
        store(static_cast<std::uint32_t>(address - at_), size, value);
        return true;
    }

    [[nodiscard]] std::uint32_t word(std::uint32_t offset) const {
        std::uint32_t value = 0;
        std::memcpy(&value, &bytes_[offset & ~3u], 4);
        return value;
    }
    void put(std::uint32_t offset, std::uint32_t value) { std::memcpy(&bytes_[offset], &value, 4); }
    [[nodiscard]] std::uint32_t command() const { return word(4) & 0xffffu; }
    void lose_registers() {  // as a reset does
        for (std::uint32_t offset = 0x10; offset < 0x28; offset += 4) put(offset, masks[(offset - 0x10) / 4] & 0xfu);
        put(4, 1u << 20);
    }
    unsigned resets = 0;
    bool moved_while_it_answered = false;  // a base address register changed with memory space on

private:
    [[nodiscard]] bool mine(std::uintptr_t address) const { return address >= at_ && address < at_ + 0x1000; }
    void store(std::uint32_t offset, unsigned size, std::uint32_t value) {
        if (offset < 4 || (offset >= 6 && offset < 8)) return;
        const std::uint32_t before = word(offset);
        std::memcpy(&bytes_[offset], &value, size);
        if (offset >= 0x10 && offset < 0x28) {
            const std::uint32_t mask = masks[(offset - 0x10) / 4], kind = offset == 0x14 ? 0 : 0xfu;
            put(offset & ~3u, (word(offset) & mask & ~kind) | (mask & kind));
            moved_while_it_answered = moved_while_it_answered || ((word(4) & 2u) != 0 && word(offset) != before);
        }
        if (offset <= express + 8 + 1 && offset + size > express + 8 + 1 && (word(express + 8) & 0x8000u) != 0) {
            ++resets;
            put(express + 8, word(express + 8) & ~0x8000u);
            lose_registers();
        }
    }

    std::uintptr_t at_;
    std::array<std::uint8_t, 4096> bytes_{};
};

}  // namespace partita
