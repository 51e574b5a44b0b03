// Barriers and hints (ARM DDI 0406C A3.8.3).
#pragma once

namespace partita {

inline void isb() { asm volatile("isb" ::: "memory"); }
inline void dsb() { asm volatile("dsb" ::: "memory"); }          // full system
inline void dsb_ish() { asm volatile("dsb ish" ::: "memory"); }  // inner shareable
inline void dsb_ishst() { asm volatile("dsb ishst" ::: "memory"); }
inline void clear_exclusive() { asm volatile("clrex" ::: "memory"); }
inline void wait_for_interrupt() { asm volatile("dsb\n\twfi" ::: "memory"); }
inline void wait_for_other() { asm volatile("yield" ::: "memory"); }  // a turn of a loop that waits for another CPU
inline void wait_for_event() { asm volatile("wfe" ::: "memory"); }
inline void send_event() { asm volatile("dsb ishst\n\tsev" ::: "memory"); }

}  // namespace partita
