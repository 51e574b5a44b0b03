// What runs next on this CPU.
#pragma once

#include "schedule/cpu.hpp"

namespace partita {

// Serves the inbox, picks the next vCPU and loads it; waits where none can run. Returns the vCPU to resume.
[[nodiscard]] Vcpu* run_next(Cpu& cpu);

// Carries out what was posted to this CPU. What is for a vCPU that does not run asks for a reschedule.
void serve_inbox(Cpu& cpu);

// Acknowledges and handles one pending interrupt of this CPU.
void take_interrupt(Cpu& cpu);

// Sleeps in Hyp until the loaded vCPU, which shares its CPU with none, has an interrupt, or its CPU has something else to do. It stays
// loaded and runnable: an interrupt finds it as if it ran.
void doze(Cpu& cpu, Vcpu& vcpu);

// Lets the vCPU that is loaded use VFP and NEON (the first use after a switch trapped).
void give_vfp(Vcpu& vcpu);

// Sets the traps and the translation regime of a CPU that holds no vCPU yet.
void prepare_traps(Cpu& cpu);

}  // namespace partita
