// The PL031 that a partition sees (Arm DDI 0224C): a clock of whole seconds, and an alarm at one of them. It counts from a time that the
// system image names; a guest may set its own.
#pragma once

#include <cstdint>

#include "machine/lock.hpp"
#include "machine/timer.hpp"

namespace partita {

class Distributor;

class Pl031 {
public:
    // epoch: seconds since 1970 when the counter was 0. frequency: ticks in a second.
    void reset(Distributor& distributor, std::uint32_t interrupt, std::uint32_t epoch, std::uint32_t frequency);

    // The guest's access; what is not a register reads as zero. After a write the alarm may be another.
    [[nodiscard]] std::uint32_t read(std::uint32_t offset);
    void write(std::uint32_t offset, std::uint32_t value);

    // When the alarm is due; never if there is none. Kept by expire().
    [[nodiscard]] timer::Ticks due();
    // Raises the line if the alarm is due.
    void expire(timer::Ticks now);

private:
    struct State {
        std::uint32_t offset = 0, match = 0, load = 0, mask = 0, raised = 0;
        timer::Ticks due = 0;  // 0: no alarm
        bool line = false;
    };
    // Whole seconds that the counter has counted: a division, in a path that no guest needs often.
    [[nodiscard]] std::uint32_t seconds(timer::Ticks ticks) const { return static_cast<std::uint32_t>(ticks / frequency_); }
    void set_alarm(State& state);
    void update(State& state);

    Guarded<State> state_;
    Distributor* distributor_ = nullptr;
    std::uint32_t interrupt_ = 0, frequency_ = 0;
};

}  // namespace partita
