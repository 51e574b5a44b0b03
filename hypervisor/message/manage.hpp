// Hypercalls of partitions with the right `manage` (abi/partita/hypercall.h): arguments and results are in the vCPU's registers, what is
// longer goes through its message page.
#pragma once

namespace partita {

struct Vcpu;

void tell_partition(Vcpu& vcpu);
void tell_vcpu(Vcpu& vcpu);
void control_partition(Vcpu& vcpu);
void load_guest(Vcpu& vcpu);
void tell_log(Vcpu& vcpu);

}  // namespace partita
