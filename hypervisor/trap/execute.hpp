// Carries out loads and stores for a loaded vCPU that its CPU could not describe (memory_access.hpp): element by element, by the
// guest's own translation, to emulated devices and to its memory.
#pragma once

#include <optional>

#include "arch/syndrome.hpp"
#include "trap/guest_memory.hpp"
#include "trap/memory_access.hpp"

namespace partita {

// Reads the instruction at the PC, and carries it out. Registers change as the architecture says, or, where an element is refused, not
// at all; the PC is behind the instruction then. Bounded: 32 elements at most.
[[nodiscard]] Executed emulate_instruction(Vcpu& vcpu, ElementFault& fault);

// What the syndrome would be of the load or store of one register at the PC, if the CPU described them all (B3.13.6): for an access that
// is not carried out here. Its base register is written back. None: it is another instruction, or has changed meanwhile.
[[nodiscard]] std::optional<DataAbort> describe_instruction(Vcpu& vcpu, DataAbort abort);

// Carries out a decoded instruction of `bytes` bytes.
[[nodiscard]] Executed execute(Vcpu& vcpu, const MemoryAccess& access, unsigned bytes, ElementFault& fault);

}  // namespace partita
