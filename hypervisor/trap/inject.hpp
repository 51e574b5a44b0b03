// Exceptions that a loaded guest takes because the hypervisor says so (DDI 0406C B1.8.3, B1.9).
#pragma once

#include <cstdint>

#include "arch/psr.hpp"
#include "banked.hpp"

namespace partita {

// Steps over the trapped instruction, of 2 or 4 bytes.
void advance_thumb(bool long_instruction);
inline void advance_pc(bool long_instruction) {
    // IL is not valid for every cause: without this test an A32 coprocessor or MMIO instruction could be taken for 2 bytes.
    if (psr::Thumb::test(trapped_state())) return advance_thumb(long_instruction);
    write_elr(read_elr() + 4);
}

void inject_undefined();
// A synchronous external abort at the faulting address.
void inject_data_abort(std::uint32_t address, bool write);
// With a fault status of the guest's own translation, as DFSR holds it.
void inject_data_abort(std::uint32_t address, bool write, std::uint32_t status);
void inject_prefetch_abort(std::uint32_t address);

}  // namespace partita
