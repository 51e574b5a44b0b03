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
