// The PL011 that a partition sees (Arm DDI 0183G). Its wire is a channel of the board's UART.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "machine/console.hpp"
#include "machine/lock.hpp"
#include "machine/ring.hpp"

namespace partita {

class Distributor;

class Pl011 {
public:
    void reset(Distributor& distributor, std::uint32_t interrupt, std::uint32_t channel);

    // The guest's access; any width, aligned. What is not a register reads as zero. The flag register is polled by the million.
    [[nodiscard, gnu::always_inline]] inline std::uint32_t read_word(std::uint32_t offset) {
        const std::uint32_t flags = flags_.load(std::memory_order_relaxed);
        // Another CPU may have made room meanwhile: a full FIFO is looked at again.
        return offset == flag_register && (flags & transmit_full) == 0 ? flags : read(offset);
    }
    [[nodiscard, gnu::noinline]] std::uint32_t read(std::uint32_t offset);
    void write(std::uint32_t offset, std::uint32_t value);

    // A byte came over the wire. False when the FIFO is full: the byte is lost, as on the wire.
    bool receive(std::uint8_t byte);
    // The channel took bytes: there may be room again.
    void drained();

private:
    static constexpr std::uint32_t flag_register = 0x18, transmit_full = 1u << 5;

    struct State {
        std::uint32_t ibrd = 0, fbrd = 0, lcrh = 0, cr = 0, ifls = 0, imsc = 0, ris = 0, dmacr = 0;
        bool line = false;
        bool wants_room = false;
    };
    void update(State& state);
    void update_flags();

    Guarded<State> state_;
    std::atomic<std::uint32_t> flags_{0};  // FR, as the two FIFOs are
    ByteRing<1024> received_;              // under the lock of `state_`
    Distributor* distributor_ = nullptr;
    std::uint32_t interrupt_ = 0;
    std::uint32_t channel_ = 0;
};

}  // namespace partita
