// The PL011 that a partition sees (Arm DDI 0183G). Its wire is a channel of the board's UART.
#pragma once

#include <array>
#include <cstdint>

#include "machine/console.hpp"
#include "machine/lock.hpp"
#include "machine/ring.hpp"

namespace partita {

class Distributor;

class Pl011 {
public:
    void reset(Distributor& distributor, std::uint32_t interrupt, std::uint32_t channel);

    // The guest's access; any width, aligned. What is not a register reads as zero.
    [[nodiscard]] std::uint32_t read(std::uint32_t offset);
    void write(std::uint32_t offset, std::uint32_t value);

    // A byte came over the wire. False when the FIFO is full: the byte is lost, as on the wire.
    bool receive(std::uint8_t byte);
    // The channel took bytes: there may be room again.
    void drained();

private:
    struct State {
        std::uint32_t ibrd = 0, fbrd = 0, lcrh = 0, cr = 0, ifls = 0, imsc = 0, ris = 0, dmacr = 0;
        bool line = false;
        bool wants_room = false;
    };
    void update(State& state);

    Guarded<State> state_;
    Guarded<ByteRing<1024>> received_;
    Distributor* distributor_ = nullptr;
    std::uint32_t interrupt_ = 0;
    std::uint32_t channel_ = 0;
};

}  // namespace partita
