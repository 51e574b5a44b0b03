// What runs in Monitor mode once a CPU has its stack there: it begins, answers calls, takes what interrupts the other world.
#include <cstddef>

#include "machine.hpp"
#include "partita/secure.h"
#include "partita/trusted.h"
#include "psci.hpp"

using namespace partita::monitor;

extern "C" {
extern const partita_monitor_header _start;
alignas(8) std::uint8_t monitor_stacks[PARTITA_MONITOR_CPUS][1u << MONITOR_STACK_SHIFT];
alignas(8) std::uint8_t monitor_panic_stack[512];
[[noreturn]] void enter_hyp(std::uint32_t entry, std::uint32_t r0, std::uint32_t r2, std::uint32_t cpu);
[[noreturn]] void leave_stack(std::uint32_t cpu, void (*function)(std::uint32_t));
[[noreturn]] void monitor_begin(std::uint32_t cpu, std::uint32_t tree);
[[noreturn]] void secure_partition_gives_up();
[[noreturn]] void monitor_fault(std::uint32_t vector, std::uint32_t at, std::uint32_t status);
void monitor_call(Call* registers);
void monitor_fiq();

// A CPU's secure partition while it is not running, as its SMC left it: world.S, where it runs on.
struct World {
    std::uint32_t stack, at, status, reserved;
};
void call_secure(World* world, const Call* in, std::uint32_t* results);  // four of them
extern std::uint64_t secure_window[];
}
static_assert(sizeof(World) == WORLD_SIZE && offsetof(World, at) == 4 && offsetof(World, status) == 8);  // world.S, vectors.S
static_assert(offsetof(partita_secure_header, text_end) == SECURE_TEXT_END &&
              offsetof(partita_secure_header, rodata_end) == SECURE_RODATA_END &&
              offsetof(partita_secure_header, file_size) == SECURE_FILE_SIZE &&
              offsetof(partita_secure_header, memory_size) == SECURE_MEMORY_SIZE);

namespace {

constinit Psci psci;

[[nodiscard]] World& world_of(std::uint32_t cpu) {
    return *reinterpret_cast<World*>(monitor_stacks[cpu] + sizeof monitor_stacks[cpu] - sizeof(World));
}

[[nodiscard]] bool has_secure_partition() { return _start.secure_at != 0; }

// The secure partition makes itself ready on this CPU.
void begin_secure_partition(std::uint32_t cpu) {
    constexpr std::uint32_t svc_all_masked = 0x1d3;
    const auto& header = *reinterpret_cast<const partita_secure_header*>(SECURE_VA);
    if (!has_secure_partition()) return;
    World& world = world_of(cpu);
    world = {0, header.entry, svc_all_masked, 0};
    static Call first[PARTITA_MONITOR_CPUS];
    first[cpu].r0 = cpu;
    first[cpu].r1 = reinterpret_cast<std::uint32_t>(secure_window);
    std::uint32_t ready[4];
    call_secure(&world, &first[cpu], ready);
    if (ready[0] != 0) end(false);  // it has said why
}

// An interrupt of the secure world while this CPU is off.
void serve_interrupt(std::uint32_t cpu) {
    if (!has_secure_partition()) return (void)take_interrupt();
    static constexpr Call interrupt_pending{};
    std::uint32_t ignored[4];
    call_secure(&world_of(cpu), &interrupt_pending, ignored);
}

// Until somebody starts it.
[[noreturn]] void park(std::uint32_t cpu) {
    for (;;) {
        Begin begin{};
        if (psci.taken(cpu, begin)) enter_hyp(begin.entry, begin.context, 0, cpu);
        wait_for_interrupt();
        serve_interrupt(cpu);
    }
}

[[nodiscard]] std::uint32_t cpu_of(const void* on_stack) {
    return static_cast<std::uint32_t>(static_cast<const std::uint8_t*>(on_stack) - &monitor_stacks[0][0]) >> MONITOR_STACK_SHIFT;
}

}  // namespace

void monitor_begin(std::uint32_t cpu, std::uint32_t tree) {
    if (cpu != 0) {
        open_interface(cpu);
        begin_secure_partition(cpu);
        park(cpu);
    }
    psci.open(_start);
    open_distributor();
    open_interface(cpu);
    wake_others();  // out of the flash that they may have begun in, before anybody writes to it
    begin_secure_partition(cpu);
    enter_hyp(_start.entry, 0, tree, cpu);
}

void monitor_call(Call* registers) {
    const std::uint32_t self = cpu_of(registers);
    if (PARTITA_TRUSTED_IS_OURS(registers->r0) && has_secure_partition()) return call_secure(&world_of(self), registers, &registers->r0);
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

// It has said why.
void secure_partition_gives_up() { end(true); }

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
