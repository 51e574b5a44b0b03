// What the firmware below offers, by SMC: PSCI (DEN0022), and a trusted service.
#pragma once

#include <cstdint>

#include "arch/address.hpp"

namespace partita::firmware {

// Starts the CPU with these affinity bits at a physical address, with `context` in r0. A PSCI result.
[[nodiscard]] std::int32_t cpu_on(std::uint32_t mpidr, PhysAddr entry, std::uint32_t context);
[[noreturn]] void system_off();

// A call to the secure world on behalf of `identity`, in r7 (DEN0028 2.10); results in the registers.
struct Registers {
    std::uint32_t r0, r1, r2, r3;
};
void secure_call(Registers& registers, std::uint32_t identity);

}  // namespace partita::firmware
