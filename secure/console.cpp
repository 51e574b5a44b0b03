#include "console.hpp"

#include <atomic>
#include <cstdint>

#include "kernel.hpp"
#include "machine.hpp"
#include "partita/guest/guest.h"

namespace partita::secure {

namespace {

constexpr std::uint32_t capacity = 4096;  // what does not find room any more is lost

char waiting[capacity];
std::uint32_t written, taken;  // bytes ever
std::atomic_flag busy;
bool at_once;

[[nodiscard]] bool has_room() {
    constexpr std::uint32_t flags = monitor::uart + 0x18, full = 0x20;
    return (monitor::read32(flags) & full) == 0;
}

void send(char c) { monitor::write32(monitor::uart, static_cast<std::uint8_t>(c)); }

// Of all CPUs one at a time; for as long as no interrupt comes here.
class Lock {
public:
    Lock() {
        while (busy.test_and_set(std::memory_order_acquire)) {
        }
    }
    ~Lock() { busy.clear(std::memory_order_release); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

private:
    Uninterrupted uninterrupted_;
};

void put(char c) {
    if (at_once) {
        while (!has_room()) {
        }
        return send(c);
    }
    const Lock lock;
    if (written - taken == capacity) return;
    waiting[written % capacity] = c;
    written = written + 1;
}

}  // namespace

void drain_console() {
    const Lock lock;
    for (; taken != written && has_room(); taken = taken + 1) send(waiting[taken % capacity]);
}

void write_at_once() {
    at_once = true;
    while (taken != written) {
        while (!has_room()) {
        }
        send(waiting[taken % capacity]);
        taken = taken + 1;
    }
}

}  // namespace partita::secure

void console_put(char c) {
    if (c == '\n') partita::secure::put('\r');
    partita::secure::put(c);
}
