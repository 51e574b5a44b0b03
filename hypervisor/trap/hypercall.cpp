#include "message/hypercall.hpp"

#include "trap/handlers.hpp"

namespace partita {

// For HVC the PC is behind the instruction already; a trapped SMC has it at the instruction (DDI 0406C B3.13.6).
Outcome on_hypercall(Vcpu& vcpu, Outcome done) {
    hypercall(vcpu);
    return done;
}

}  // namespace partita
