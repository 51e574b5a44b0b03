// PSCI as the firmware below offers it, by SMC (DEN0022).
#pragma once

#include <cstdint>

#include "arch/address.hpp"

namespace partita::firmware {

// Starts the CPU with these affinity bits at a physical address, with `context` in r0. A PSCI result.
[[nodiscard]] std::int32_t cpu_on(std::uint32_t mpidr, PhysAddr entry, std::uint32_t context);
[[noreturn]] void system_off();

}  // namespace partita::firmware
