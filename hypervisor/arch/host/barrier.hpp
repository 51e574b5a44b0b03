#pragma once

namespace partita {

struct Idle {};  // thrown where the CPU would sleep until something comes from outside

inline void isb() {}
inline void dsb() {}
inline void dsb_ish() {}
inline void dsb_ishst() {}
inline void clear_exclusive() {}
[[noreturn]] inline void wait_for_interrupt() { throw Idle{}; }
inline void wait_for_event() {}
inline void send_event() {}

}  // namespace partita
