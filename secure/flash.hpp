// The flash that the secure world's state is in: how its commands are carried out, one after the other, without waiting for any.
#pragma once

#include <cstdint>

namespace partita::secure {

// A sentence: what is wrong with it. A board without flash has nothing wrong.
[[nodiscard]] const char* open_flash();
// Carries out all that there is to do; false: the flash does not.
[[nodiscard]] bool settle_flash();
// From the loop: begins a command, or looks whether the last one has ended.
void tick_flash();
// By each CPU: it executes nothing there any more.
void leave_flash();
// While it lives, this CPU has an interrupt whenever something is in flash. With interrupts masked: what it counts is never lost.
class FlashWaiter {
public:
    FlashWaiter();
    ~FlashWaiter();
    FlashWaiter(const FlashWaiter&) = delete;
    FlashWaiter& operator=(const FlashWaiter&) = delete;
};
// In a thread, as a waiter: until an interrupt comes, of the flash or another.
void await_flash();
// On each CPU: what wakes those that wait.
void begin_flash();

}  // namespace partita::secure
