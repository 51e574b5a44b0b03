// What all of the secure partition stands on: which CPU this is, what may not be interrupted, and the way to the other world.
#pragma once

#include <cstdint>

#include "call.hpp"
#include "kernel.h"
#include "partita/monitor.h"
#include "partita/secure.h"

namespace partita::secure {

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

// This program's own header, which the tool has written to.
[[nodiscard]] const partita_secure_header& program();

// The board is reset; nothing of this partition runs any more.
extern "C" [[noreturn]] void give_up();

}  // namespace partita::secure
