// The trusted service of the secure world, for partitions that may ask it (abi/partita/trusted.h): what passes, and whose it is.
#pragma once

#include "partition/vcpu.hpp"

namespace partita {

// Whether the firmware below is one that has it. Another trusted OS has other functions at these numbers, with addresses in them.
[[nodiscard]] bool find_trusted_service();

// A function of a trusted OS (DEN0028 6.2) that is in r0. What the description does not name is not supported, and of r1 only what is
// known to be a page of the caller's own memory reaches the secure world.
void trusted_call(Vcpu& vcpu);

// The partition's life is over: so is a call of it that was interrupted.
void forget_trusted_call(const Partition& partition);

}  // namespace partita
