// Of all CPUs one at a time.
#pragma once

#include <atomic>

#include "interrupts.hpp"

namespace partita::secure {

// For as long as it lives no interrupt comes: so not for long.
class Lock {
public:
    explicit Lock(std::atomic_flag& busy) : busy_{busy} {
        while (busy_.test_and_set(std::memory_order_acquire)) {
        }
    }
    ~Lock() { busy_.clear(std::memory_order_release); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

private:
    Uninterrupted uninterrupted_;
    std::atomic_flag& busy_;
};

}  // namespace partita::secure
