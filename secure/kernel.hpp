// What all of the secure partition stands on: which CPU this is, what may not be interrupted, and the way to the other world.
#pragma once

#include <cstdint>

#include "call.hpp"
#include "interrupts.hpp"
#include "kernel.h"
#include "partita/monitor.h"
#include "partita/secure.h"

namespace partita::secure {

[[nodiscard]] inline std::uint32_t cpu_number() {
    std::uint32_t value;
    asm volatile("mrc p15, 0, %0, c13, c0, 4" : "=r"(value)::"memory");  // a thread's CPU changes
    return value;
}

// What the tool told the monitor of the board: the begin of the monitor's image.
[[nodiscard]] const partita_monitor_header& board();

// This program's own header, which the tool has written to.
[[nodiscard]] const partita_secure_header& program();

// The board is reset; nothing of this partition runs any more.
extern "C" [[noreturn]] void give_up();

}  // namespace partita::secure
