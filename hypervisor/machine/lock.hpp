// A lock, and data that is reachable only while it is held. For lifecycle and for devices shared by CPUs, never for the
// paths that interrupts take.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "barrier.hpp"

namespace partita {

class SpinLock {
public:
    void lock() {
        while (held_.exchange(1, std::memory_order_acquire) != 0)
            while (held_.load(std::memory_order_relaxed) != 0) wait_for_other();
    }
    [[nodiscard]] bool try_lock() { return held_.exchange(1, std::memory_order_acquire) == 0; }
    void unlock() { held_.store(0, std::memory_order_release); }

private:
    std::atomic<std::uint32_t> held_{0};
};

// T behind a lock: `with` runs a function on it and gives back what that returns.
template <typename T>
class Guarded {
public:
    template <typename Function>
    decltype(auto) with(Function&& function) {
        struct Hold {
            SpinLock& lock;
            explicit Hold(SpinLock& l) : lock(l) { lock.lock(); }
            Hold(const Hold&) = delete;
            Hold& operator=(const Hold&) = delete;
            ~Hold() { lock.unlock(); }
        } hold{lock_};
        return std::forward<Function>(function)(value_);
    }

private:
    SpinLock lock_;
    T value_;
};

}  // namespace partita
