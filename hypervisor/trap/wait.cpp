#include "schedule/schedule.hpp"
#include "trap/handlers.hpp"
#include "trap/inject.hpp"
#include "trap/run.hpp"

namespace partita {

// WFI and WFE. WFI: the vCPU sleeps until an interrupt is signalled to it, masked or not (DDI 0406C B1.8.13).
Outcome on_wait(Vcpu& vcpu, Syndrome syndrome) {
    advance_pc(syndrome.long_instruction());
    if (syndrome.for_event()) {
        // Who waits for an event would spin in its turn, and whom it waits for may be waiting for that turn. WFE may end for any
        // reason (B1.8.13), so it just goes on when it is its turn again.
        yield(vcpu);
        return Outcome::resume;
    }
    if (vcpu.interrupts.signalled()) return Outcome::resume;
    if (vcpu.cpu->alone) {
        doze(*vcpu.cpu, vcpu);
    } else {
        become(vcpu, RunState::blocked);
        vcpu.cpu->reschedule = true;
    }
    return Outcome::resume;
}

}  // namespace partita
