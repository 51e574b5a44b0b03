#include "schedule/schedule.hpp"
#include "trap/handlers.hpp"

namespace partita {

// WFI: the vCPU sleeps until an interrupt is signalled to it, masked or not (DDI 0406C B1.8.13).
Outcome on_wait(Vcpu& vcpu) {
    if (vcpu.interrupts.signalled()) return Outcome::advance;
    become(vcpu, RunState::blocked);
    vcpu.cpu->reschedule = true;
    return Outcome::advance;
}

}  // namespace partita
