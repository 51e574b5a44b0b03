#pragma once

namespace partita {

struct Idle {};  // thrown where the CPU would sleep until something comes from outside

inline void isb() {}
inline void dsb() {}
inline void dsb_ish() {}
inline void dsb_ishst() {}
inline void clear_exclusive() {}
[[noreturn]] inline void wait_for_interrupt() { throw Idle{}; }
inline void (*other_cpu)() = nullptr;  // what the other CPUs do while this one waits for them
inline void wait_for_other() {
    if (other_cpu != nullptr) other_cpu();
}
inline void wait_for_event() {}
inline void send_event() {}

}  // namespace partita
