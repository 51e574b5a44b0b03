// One handler for each cause of a trap. The vCPU is loaded; each returns what is to become of the instruction.
#pragma once

#include "arch/syndrome.hpp"
#include "partition/vcpu.hpp"
#include "trap/outcome.hpp"

namespace partita {

// Total: every syndrome, and any state of the guest, gives an outcome.
[[nodiscard]] Outcome dispatch(Vcpu& vcpu, Syndrome syndrome);
void apply(Vcpu& vcpu, Outcome outcome, Syndrome syndrome);

[[nodiscard]] Outcome on_wait(Vcpu& vcpu, Syndrome syndrome);         // WFI, WFE
[[nodiscard]] Outcome on_cp15(Vcpu& vcpu, CoprocessorAccess access);  // MCR, MRC
[[nodiscard]] Outcome on_frequent_cp15(Vcpu& vcpu, CoprocessorAccess access);
[[nodiscard]] Outcome on_conditional_cp15(Vcpu& vcpu, CoprocessorAccess access);
[[nodiscard]] Outcome on_cp15_long(Vcpu& vcpu, CoprocessorAccess access);  // MCRR, MRRC
[[nodiscard]] Outcome on_cp14(Vcpu& vcpu, CoprocessorAccess access);       // debug, Jazelle
[[nodiscard]] Outcome on_coprocessor(Vcpu& vcpu, Syndrome syndrome);       // HCPTR: VFP and NEON, and what is not there
[[nodiscard]] Outcome on_vmrs(Vcpu& vcpu, CoprocessorAccess access);       // MVFRn, FPSID
[[nodiscard]] Outcome on_hypercall(Vcpu& vcpu, Outcome done);              // HVC and SMC
[[nodiscard]] Outcome on_data_abort(Vcpu& vcpu, DataAbort abort);          // stage 2, data
// An external abort that came asynchronously while the guest ran: nobody can say which access it was, so the partition ends.
void asynchronous_abort(Vcpu& vcpu);
[[nodiscard]] Outcome on_prefetch_abort(Vcpu& vcpu, DataAbort abort);  // stage 2, instruction

}  // namespace partita
