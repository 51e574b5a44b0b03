// What is told of a partition that a fault or its watchdog ended: where its virtual CPUs were, the registers and the stack of the one
// that matters, and what it did so far. In bounded steps, in its own processor time, before its memory is cleared.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "machine/timer.hpp"

namespace partita {

struct Partition;
struct Vcpu;

struct LastWords {
    static constexpr std::uint32_t nobody = ~0u;

    std::atomic<std::uint32_t> culprit{0};  // 1 + the vCPU whose fault ended the partition; 0: none
    std::atomic<std::uint32_t> were_on{0};  // the vCPUs that were on, by index
    timer::Ticks told_at = 0;               // when it was told of last; 0: never
    std::uint32_t sp = 0, words = 0;        // of the vCPU that matters: its stack, as far as its own translation reaches
    std::array<std::uint32_t, 16> stack{};
};

// The vCPU whose registers and stack are told: the culprit, or the first. `nobody`: the partition ended in another way.
[[nodiscard]] std::uint32_t who_matters(const Partition& partition);

// Whether it is to be told: once a second, however often the partition ends.
[[nodiscard]] bool to_be_told(const Partition& partition);

// One line of the log. True when all is told. Its vCPUs have stopped. On the first vCPU's CPU.
[[nodiscard]] bool tell_step(Partition& partition);

}  // namespace partita
