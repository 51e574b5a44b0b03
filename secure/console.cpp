#include "console.hpp"

#include <atomic>
#include <cstdint>

#include "kernel.hpp"
#include "lock.hpp"
#include "machine.hpp"
#include "partita/guest/guest.h"

namespace partita::secure {

namespace {

constexpr std::uint32_t capacity = 4096;  // what does not find room any more is lost

char waiting[capacity];
std::uint32_t written, taken;  // bytes ever
std::atomic_flag busy;
std::atomic<std::uint32_t> last;  // which CPU has the last word, from 1 on; 0: none yet

[[nodiscard]] bool has_room() {
    constexpr std::uint32_t flags = monitor::uart + 0x18, full = 0x20;
    return (monitor::read32(flags) & full) == 0;
}

void send(char c) { monitor::write32(monitor::uart, static_cast<std::uint8_t>(c)); }

void send_at_once(char c) {
    while (!has_room()) {
    }
    send(c);
}

void put(char c) {
    if (const std::uint32_t whose = last.load(std::memory_order_relaxed); whose != 0) {
        if (whose == cpu_number() + 1) send_at_once(c);
        return;
    }
    const Lock lock{busy};
    if (written - taken == capacity) return;
    waiting[written % capacity] = c;
    written = written + 1;
}

}  // namespace

void drain_console() {
    const Lock lock{busy};
    for (; last.load(std::memory_order_relaxed) == 0 && taken != written && has_room(); taken = taken + 1) send(waiting[taken % capacity]);
}

// Not under the lock, which this CPU may hold: it may be here for a fault.
void write_at_once() {
    std::uint32_t nobody = 0;
    if (!last.compare_exchange_strong(nobody, cpu_number() + 1, std::memory_order_relaxed) && nobody != cpu_number() + 1)
        for (;;) asm volatile("wfi");  // another CPU says why, and resets the board
    for (; taken != written; taken = taken + 1) send_at_once(waiting[taken % capacity]);
}

}  // namespace partita::secure

void console_put(char c) {
    if (c == '\n') partita::secure::put('\r');
    partita::secure::put(c);
}
