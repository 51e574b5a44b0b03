#include "machine/firmware.hpp"

#include "barrier.hpp"
#include "partita/hypercall.h"

namespace partita::firmware {

void secure_call(Registers& registers, std::uint32_t identity) {
    register std::uint32_t r0 asm("r0") = registers.r0;
    register std::uint32_t r1 asm("r1") = registers.r1;
    register std::uint32_t r2 asm("r2") = registers.r2;
    register std::uint32_t r3 asm("r3") = registers.r3;
    register std::uint32_t r7 asm("r7") = identity;
    asm volatile(".arch_extension sec\n\tsmc #0" : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3) : "r"(r7) : "r12", "memory");
    registers = {r0, r1, r2, r3};
}

std::int32_t cpu_on(std::uint32_t mpidr, PhysAddr entry, std::uint32_t context) {
    Registers registers{PSCI_CPU_ON, mpidr, static_cast<std::uint32_t>(entry.value), context};
    secure_call(registers, 0);
    return static_cast<std::int32_t>(registers.r0);
}

void system_off() {
    Registers registers{PSCI_SYSTEM_OFF, 0, 0, 0};
    secure_call(registers, 0);
    for (;;) wait_for_interrupt();
}

}  // namespace partita::firmware
