// The PL061 that a partition sees (Arm DDI 0190B): eight lines that are its doorbells, for a guest whose programs know no other way to
// interrupts (Linux' gpiochip character device). A ring makes an input high for no time; an output that rises rings.
#pragma once

#include <cstdint>

#include "machine/lock.hpp"

namespace partita {

class Distributor;

class Pl061 {
public:
    // interrupt 0: the partition has none.
    void reset(Distributor& distributor, std::uint32_t interrupt);

    // The guest's access; what is not a register reads as zero. A write returns the outputs that rose by it, a bit for each line.
    [[nodiscard]] std::uint32_t read(std::uint32_t offset);
    [[nodiscard]] std::uint32_t write(std::uint32_t offset, std::uint32_t value);

    // The line goes high and low again, unless it is an output. Any CPU.
    void pulse(std::uint32_t line);

private:
    struct State {
        std::uint32_t data = 0, direction = 0, sense = 0, both = 0, event = 0, mask = 0, alternate = 0;
        std::uint32_t edges = 0;  // seen, and not cleared
        bool line = false;

        // GPIORIS: edges that were seen, and lines that are at the level asked for. Inputs are low.
        [[nodiscard]] std::uint32_t raised() const { return (edges & ~sense) | (sense & ~((data & direction) ^ event)); }
    };
    [[nodiscard]] std::uint32_t set(State& state, std::uint32_t offset, std::uint32_t value);
    void update(State& state);

    Guarded<State> state_;
    Distributor* distributor_ = nullptr;
    std::uint32_t interrupt_ = 0;
};

}  // namespace partita
