// What a managing partition does with others: start, stop, pause, resume, restart, and give them something else to run.
#pragma once

#include <cstdint>

#include "partition/partition.hpp"

namespace partita {

// An enum partita_control for `partition`, which `by` asks for. Any CPU. What CONTROL of abi/partita/hypercall.h answers: with success
// the change is on its way, and nothing changes otherwise.
[[nodiscard]] std::int32_t control(Partition& partition, const Partition& by, std::uint32_t action);

// Fills in what the partition runs as its description has it, or nothing where it is of the pool.
void describe_guest(Partition& partition);

// From its next life on the partition, which is to be off, runs `guest`: a good record (check_guest()) whose copies' sources are physical
// addresses. What LOAD of abi/partita/hypercall.h answers.
[[nodiscard]] std::int32_t give_guest(Partition& partition, const partita_guest& guest);

// A partition of the pool that is off has nothing to run any more, and its own name again.
[[nodiscard]] std::int32_t take_guest(Partition& partition);

// A vCPU of a partition that is being paused has stopped. The last one makes it paused. On the vCPU's CPU.
void paused(Vcpu& vcpu);

}  // namespace partita
