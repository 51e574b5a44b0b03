// Makes the system out of its description: what boot does once, before the first guest instruction.
#pragma once

#include "boot/image_check.hpp"

namespace partita {

// Fills system() from the checked description: partitions with their address spaces, vCPUs on their CPUs, owners.
// base: where Hyp sees the physical address header->hypervisor_base.
void set_up(const ImageView& image, std::byte* base);

}  // namespace partita
