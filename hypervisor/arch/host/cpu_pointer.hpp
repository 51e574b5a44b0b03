// A test says which CPU it plays.
#pragma once

namespace partita {

inline void* fake_cpu_pointer = nullptr;

[[nodiscard]] inline void* cpu_pointer() { return fake_cpu_pointer; }
inline void set_cpu_pointer(void* pointer) { fake_cpu_pointer = pointer; }

}  // namespace partita
