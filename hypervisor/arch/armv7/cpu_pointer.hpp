// The pointer that each CPU keeps to its own data, in HTPIDR.
#pragma once

#include <cstdint>

#include "arch/registers.hpp"

namespace partita {

[[nodiscard]] inline void* cpu_pointer() { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(HTPIDR::read())); }
inline void set_cpu_pointer(void* pointer) { HTPIDR::write(static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(pointer))); }

}  // namespace partita
