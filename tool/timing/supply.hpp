// What time a partition's windows give it.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/plan.hpp"

namespace partita::tool {

using Nanoseconds = std::uint64_t;

class Supply {
public:
    // All the time there is.
    Supply() = default;
    // The windows of a CPU's frame that `partition` may run in; `loss` at the begin of each. Without windows: all the time there is.
    Supply(const std::vector<PlannedWindow>& windows, std::size_t partition, Nanoseconds loss);

    // The longest that it can take to get so much: begun at the worst moment, the end of one of the windows. ~0 where it never does.
    [[nodiscard]] Nanoseconds longest_for(Nanoseconds demand) const;
    // The longest time without a window.
    [[nodiscard]] Nanoseconds longest_gap() const {
        return longest_for(1) == ~Nanoseconds{0} ? frame_ : longest_for(1) - (frame_ != 0 ? 1 : 0);
    }
    [[nodiscard]] Nanoseconds each_frame() const { return each_frame_; }
    [[nodiscard]] bool endless() const { return frame_ == 0; }
    [[nodiscard]] bool operator==(const Supply&) const = default;

private:
    struct Part {
        Nanoseconds begin, end;  // of what is usable
        [[nodiscard]] bool operator==(const Part&) const = default;
    };
    Nanoseconds frame_ = 0;  // 0: endless
    Nanoseconds each_frame_ = 0;
    std::vector<Part> parts_;
};

}  // namespace partita::tool
