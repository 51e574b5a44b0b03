// The SP805 watchdog that a partition sees (Arm DDI 0270B): a counter of the platform's 24 MHz clock. When it reaches 0 it raises its
// interrupt; when it does so again and the interrupt was not cleared, the partition is reset. The description says the longest time
// that may pass from one feeding to the reset, whatever the guest programs.
#pragma once

#include <cstdint>

#include "machine/lock.hpp"
#include "machine/timer.hpp"

namespace partita {

class Distributor;

class Sp805 {
public:
    // longest: from a feeding to the reset, in milliseconds; from_boot: it runs from start() on, and cannot be stopped. frequency: ticks
    // in a second. interrupt 0: the partition has none.
    void reset(Distributor& distributor, std::uint32_t interrupt, std::uint32_t longest, bool from_boot, std::uint32_t frequency);
    // The partition's life begins, and has ended.
    void start();
    void stop();
    // Time stands still for it, and goes on.
    void freeze(timer::Ticks now);
    void thaw(timer::Ticks now);

    // The guest's access; what is not a register reads as zero. After a write its time may be another.
    [[nodiscard]] std::uint32_t read(std::uint32_t offset);
    void write(std::uint32_t offset, std::uint32_t value);

    // When the counter next reaches 0; never if it does not run. Kept by expire().
    [[nodiscard]] timer::Ticks due();
    // The counter's reaching 0. True: the second time, and the partition is to be reset.
    [[nodiscard]] bool expire(timer::Ticks now);

private:
    struct State {
        std::uint32_t load = ~0u, control = 0;
        bool raised = false, locked = false, line = false;
        timer::Ticks round = 0;  // how long the counter takes from the load value to 0
        timer::Ticks due = 0;    // 0: it does not run
        timer::Ticks left = 0;   // ... because it is frozen, so long before
    };
    [[nodiscard]] timer::Ticks round_of(std::uint32_t load) const;
    void reload(State& state);
    void write_control(State& state, std::uint32_t value);
    void update(State& state);

    Guarded<State> state_;
    Distributor* distributor_ = nullptr;
    std::uint32_t interrupt_ = 0, frequency_ = 0;
    timer::Ticks longest_ = 0;  // of one round
    bool from_boot_ = false;
};

}  // namespace partita
