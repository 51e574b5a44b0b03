// What all of the secure partition stands on: which CPU this is, what may not be interrupted, and the way to the other world.
#pragma once

#include <cstdint>

#include "kernel.h"
#include "partita/monitor.h"

namespace partita::secure {

// Registers r0 to r7 of a call.
struct Call {
    std::uint32_t function, r1, r2, r3, r4, r5, r6, identity;
};
// Registers r0 to r3 of its end.
struct Results {
    std::uint32_t r0 = 0, r1 = 0, r2 = 0, r3 = 0;
};

[[nodiscard]] inline std::uint32_t cpu_number() {
    std::uint32_t value;
    asm volatile("mrc p15, 0, %0, c13, c0, 4" : "=r"(value)::"memory");  // a thread's CPU changes
    return value;
}

// While it lives, interrupts of neither world come.
class Uninterrupted {
public:
    Uninterrupted() { asm volatile("mrs %0, cpsr\n\tcpsid if" : "=r"(before_)::"memory"); }
    ~Uninterrupted() { asm volatile("msr cpsr_c, %0" ::"r"(before_) : "memory"); }
    Uninterrupted(const Uninterrupted&) = delete;
    Uninterrupted& operator=(const Uninterrupted&) = delete;

private:
    std::uint32_t before_;
};

// What the tool told the monitor of the board: the begin of the monitor's image.
[[nodiscard]] const partita_monitor_header& board();

// The board is reset; nothing of this partition runs any more.
extern "C" [[noreturn]] void give_up();

}  // namespace partita::secure
