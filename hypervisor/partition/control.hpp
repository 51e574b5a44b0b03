// What a managing partition does with others: start, stop, pause, resume and restart.
#pragma once

#include <cstdint>

#include "partition/partition.hpp"

namespace partita {

// An enum partita_control for `partition`, which `by` asks for. Any CPU. What CONTROL of abi/partita/hypercall.h answers: with success
// the change is on its way, and nothing changes otherwise.
[[nodiscard]] std::int32_t control(Partition& partition, const Partition& by, std::uint32_t action);

// A vCPU of a partition that is being paused has stopped. The last one makes it paused. On the vCPU's CPU.
void paused(Vcpu& vcpu);

}  // namespace partita
