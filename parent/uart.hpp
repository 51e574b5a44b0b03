// The parent partition's end of the control channel: a PL011 (Arm DDI 0183G), by interrupts alone.
#pragma once

#include <cstdint>
#include <optional>

namespace partita::parent {

class Uart {
public:
    // Where its registers are, and its interrupt. Interrupts are masked.
    void start(std::uintptr_t base, std::uint32_t interrupt);
    [[nodiscard]] std::optional<std::uint8_t> take();
    // Waits for room, asleep.
    void put(std::uint8_t byte);
    // Of the interrupt.
    void serve();

private:
    [[nodiscard]] volatile std::uint32_t& at(std::uint32_t offset) const {
        return *reinterpret_cast<volatile std::uint32_t*>(base_ + offset);
    }

    static constexpr std::uint32_t size = 2048;
    std::uint8_t received_[size] = {};
    std::uint32_t head_ = 0, tail_ = 0;  // counted on for ever
    std::uintptr_t base_ = 0;
    bool held_ = false;  // there was no room: the interrupt is off until there is
};

}  // namespace partita::parent
