#include "schedule/schedule.hpp"
#include "trap/handlers.hpp"
#include "trap/inject.hpp"
#include "trap/run.hpp"

namespace partita {

// WFI: the vCPU sleeps until an interrupt is signalled to it, masked or not (DDI 0406C B1.8.13).
Outcome on_wait(Vcpu& vcpu, Syndrome syndrome) {
    advance_pc(syndrome.long_instruction());
    if (vcpu.interrupts.signalled()) return Outcome::resume;
    if (vcpu.cpu->count == 1) {
        doze(*vcpu.cpu, vcpu);
    } else {
        become(vcpu, RunState::blocked);
        vcpu.cpu->reschedule = true;
    }
    return Outcome::resume;
}

}  // namespace partita
