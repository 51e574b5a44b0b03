#pragma once

namespace partita {

inline void isb() {}
inline void dsb() {}
inline void dsb_ish() {}
inline void dsb_ishst() {}
inline void clear_exclusive() {}
inline void wait_for_interrupt() {}
inline void wait_for_event() {}
inline void send_event() {}

}  // namespace partita
