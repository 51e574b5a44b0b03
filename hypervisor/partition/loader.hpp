// Fills a partition's memory at each start: scrub, copy, patch. In bounded steps, in the partition's own processor time.
#pragma once

#include "partition/partition.hpp"

namespace partita {

// One bounded step. True when the memory is complete and clean to the point of coherency.
[[nodiscard]] bool load_step(Partition& partition);

}  // namespace partita
