// Which interrupts of a vCPU are to be looked at: any CPU adds, the vCPU's takes out.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "partita/system_image.h"

namespace partita {

// One bit for each INTID of a partition, and a summary with one bit for each word of them.
class LookSet {
public:
    static constexpr unsigned words = PARTITA_MAX_INTERRUPTS / 32;
    static_assert(PARTITA_MAX_INTERRUPTS % 32 == 0 && words <= 32);

    void add(std::uint32_t id) {
        // Each step releases what was changed before: a look at another member of the same word may take this one out in between.
        bits_[id / 32].fetch_or(1u << id % 32, std::memory_order_release);
        summary_.fetch_or(1u << id / 32, std::memory_order_release);
    }
    [[nodiscard]] bool any() const { return summary_.load(std::memory_order_relaxed) != 0; }
    // Takes all members out and calls use(id) for each, lowest first.
    template <typename Use>
    void drain(Use&& use) {
        for (std::uint32_t left = summary_.exchange(0, std::memory_order_acquire); left != 0; left &= left - 1) {
            const unsigned word = static_cast<unsigned>(__builtin_ctz(left));
            for (std::uint32_t ids = bits_[word].exchange(0, std::memory_order_acquire); ids != 0; ids &= ids - 1)
                use(word * 32 + static_cast<unsigned>(__builtin_ctz(ids)));
        }
    }
    void clear() {
        drain([](std::uint32_t) {});
    }

private:
    std::array<std::atomic<std::uint32_t>, words> bits_{};
    std::atomic<std::uint32_t> summary_{0};
};

}  // namespace partita
