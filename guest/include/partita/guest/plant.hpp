// What control loops of the examples control: a second-order plant held at its set point by a PID controller, in fixed point (Q16).
#pragma once

#include <cstdint>

namespace partita::guest {

class Plant {
public:
    constexpr void step() {
        constexpr std::int32_t set_point = 1 << 16;
        const std::int32_t error = set_point - position_;
        integral_ += error / 64;
        const std::int32_t command = error * 2 + integral_ / 8 - velocity_ * 3;
        velocity_ += command / 256;
        position_ += velocity_ / 16;
    }
    [[nodiscard]] constexpr bool settled() const { return position_ > 63000 && position_ < 68000; }

private:
    std::int32_t position_ = 0, velocity_ = 0, integral_ = 0;
};

}  // namespace partita::guest
