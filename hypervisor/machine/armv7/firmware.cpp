#include "machine/firmware.hpp"

#include "barrier.hpp"
#include "partita/hypercall.h"

namespace partita::firmware {

namespace {
std::int32_t call(std::uint32_t function, std::uint32_t first, std::uint32_t second, std::uint32_t third) {
    register std::uint32_t r0 asm("r0") = function;
    register std::uint32_t r1 asm("r1") = first;
    register std::uint32_t r2 asm("r2") = second;
    register std::uint32_t r3 asm("r3") = third;
    asm volatile(".arch_extension sec\n\tsmc #0" : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)::"r12", "memory");
    return static_cast<std::int32_t>(r0);
}
}  // namespace

std::int32_t cpu_on(std::uint32_t mpidr, PhysAddr entry, std::uint32_t context) {
    return call(PSCI_CPU_ON, mpidr, static_cast<std::uint32_t>(entry.value), context);
}

void system_off() {
    (void)call(PSCI_SYSTEM_OFF, 0, 0, 0);
    for (;;) wait_for_interrupt();
}

}  // namespace partita::firmware
