// Exceptions that a loaded guest takes because the hypervisor says so (DDI 0406C B1.8.3, B1.9).
#pragma once

#include <cstdint>

namespace partita {

// Steps over the trapped instruction, of 2 or 4 bytes.
void advance_pc(bool long_instruction);

void inject_undefined();
// A synchronous external abort at the faulting address.
void inject_data_abort(std::uint32_t address, bool write);
void inject_prefetch_abort(std::uint32_t address);

}  // namespace partita
