// What runs in Monitor mode once a CPU has its stack there: it begins, answers calls, takes what interrupts the other world.
#include "machine.hpp"
#include "psci.hpp"

using namespace partita::monitor;

extern "C" {
extern const partita_monitor_header _start;
alignas(8) std::uint8_t monitor_stacks[PARTITA_MONITOR_CPUS][stack_size];
alignas(8) std::uint8_t monitor_panic_stack[512];
[[noreturn]] void enter_hyp(std::uint32_t entry, std::uint32_t r0, std::uint32_t r2, std::uint32_t cpu);
[[noreturn]] void leave_stack(std::uint32_t cpu, void (*function)(std::uint32_t));
[[noreturn]] void monitor_begin(std::uint32_t cpu, std::uint32_t tree);
[[noreturn]] void monitor_fault(std::uint32_t vector, std::uint32_t at, std::uint32_t status);
void monitor_call(Call* registers);
void monitor_fiq();
}

namespace {

constinit Psci psci;

// Until somebody starts it.
[[noreturn]] void park(std::uint32_t cpu) {
    for (;;) {
        Begin begin{};
        if (psci.taken(cpu, begin)) enter_hyp(begin.entry, begin.context, 0, cpu);
        wait_for_interrupt();
        (void)take_interrupt();
    }
}

[[nodiscard]] std::uint32_t cpu_of(const void* on_stack) {
    return static_cast<std::uint32_t>(static_cast<const std::uint8_t*>(on_stack) - &monitor_stacks[0][0]) / stack_size;
}

}  // namespace

void monitor_begin(std::uint32_t cpu, std::uint32_t tree) {
    if (cpu != 0) {
        open_interface(cpu);
        park(cpu);
    }
    psci.open(_start);
    open_distributor();
    open_interface(cpu);
    wake_others();
    enter_hyp(_start.entry, 0, tree, cpu);
}

void monitor_call(Call* registers) {
    const std::uint32_t self = cpu_of(registers);
    const Psci::Answer answer = psci.call(*registers, self);
    if (answer.wakes != ~0u) wake(answer.wakes);
    switch (answer.then) {
        case Then::goes_on: return;
        case Then::sleeps: return wait_for_interrupt();
        case Then::is_off: leave_stack(self, park);
        case Then::ends_system: end(false);
        case Then::resets_system: end(true);
    }
}

void monitor_fiq() { (void)take_interrupt(); }

// A fault of the monitor's own: nothing is known to be right any more.
void monitor_fault(std::uint32_t vector, std::uint32_t at, std::uint32_t status) {
    print("monitor: exception ");
    print(vector);
    print(" at ");
    print(at);
    print(", status ");
    print(status);
    print(": the board is reset\r\n");
    end(true);
}
