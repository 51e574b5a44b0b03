// Functions that a partition calls by HVC or SMC (abi/partita/hypercall.h).
#pragma once

#include "partition/vcpu.hpp"

namespace partita {

// Carries out the function in r0 with the arguments in r1-r3; results replace r0-r3 as the function says.
void hypercall(Vcpu& vcpu);

}  // namespace partita
