// Accesses to virtio devices that another partition serves.
#pragma once

#include <cstdint>

#include "arch/syndrome.hpp"
#include "trap/handlers.hpp"

namespace partita {

// The loaded vCPU's access, at an offset from PARTITA_VIRTIO: done at once, or the vCPU waits for it and the PC stays where it is.
[[nodiscard]] Outcome access_virtio(Vcpu& vcpu, DataAbort abort, std::uint32_t offset);

// Carries out the loaded vCPU's access that was answered.
void finish_access(Vcpu& vcpu);

}  // namespace partita
