// Interrupts of this CPU.
#pragma once

#include <cstdint>

namespace partita::secure {

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

}  // namespace partita::secure
