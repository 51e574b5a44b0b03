#include "kernel.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#include "console.hpp"
#include "flash.hpp"
#include "keys.hpp"
#include "loop.hpp"
#include "machine.hpp"
#include "partita/guest/guest.h"
#include "partita/trusted.h"
#include "sessions.hpp"
#include "state.hpp"
#include "system.hpp"
#include "watchdog.hpp"
#include "window.hpp"

namespace partita::secure {

using std::uint32_t;

// start.S, and the SDK's places (CMakeLists.txt).
static_assert(offsetof(partita_secure_header, entry) == 20 && offsetof(partita_secure_header, key) == 28 &&
              sizeof(partita_secure_header) == 96);
static_assert(offsetof(Thread, stack) == 0 && offsetof(Thread, dispatcher) == 4);
static_assert(PARTITA_GUEST_GICD == monitor::gicd && PARTITA_GUEST_GICC == monitor::gicc && PARTITA_GUEST_UART == monitor::uart);

extern "C" {
alignas(8) std::uint8_t kernel_stacks[PARTITA_MONITOR_CPUS][1u << KERNEL_STACK_SHIFT];
alignas(8) std::uint8_t fault_stack[KERNEL_FAULT_STACK];
[[noreturn]] void secure_begin(uint32_t cpu, std::uint64_t* window);
[[noreturn]] void secure_fault(uint32_t kind, uint32_t link, uint32_t status);
void leave_world(const Results* results, Call* call);
void guest_irq();
extern uint32_t __stack_chk_guard;
}

namespace {

// The library's functions keep it between their variables and where they return to. None of them is running.
void guard_stacks() {
    std::array<std::uint8_t, sizeof __stack_chk_guard> bytes;
    Random{}.fill(bytes);
    std::memcpy(&__stack_chk_guard, bytes.data(), bytes.size());
}

// What must be before the other world: false: it must not begin.
[[nodiscard]] bool begin() {
    if (const char* const wrong = begin_state(); wrong != nullptr) {
        write_at_once();
        console_printf("secure: the system is not started: %s\n", wrong);
        return false;
    }
    return check_system();
}

[[nodiscard]] Results serve(const Call& call) {
    switch (call.function) {
        case 0:
            note_interrupted(call.r1 != 0);
            guest_irq();
            return {};
        case PARTITA_TRUSTED_UID: return {PARTITA_TRUSTED_UID_0, PARTITA_TRUSTED_UID_1, PARTITA_TRUSTED_UID_2, PARTITA_TRUSTED_UID_3};
        case PARTITA_TRUSTED_REVISION: return {PARTITA_TRUSTED_REVISION_MAJOR, PARTITA_TRUSTED_REVISION_MINOR};
        default: note_interrupted(false); return sessions().call(call);
    }
}

}  // namespace

const partita_secure_header& program() { return *reinterpret_cast<const partita_secure_header*>(SECURE_VA); }
const partita_monitor_header& board() { return *reinterpret_cast<const partita_monitor_header*>(MONITOR_VA); }

void secure_begin(uint32_t cpu, std::uint64_t* window) {
    Results results;
    set_window(cpu, window);
    leave_flash();
    if (cpu == 0) {
        gather_entropy();
        guard_stacks();
        if (begin())
            begin_loop();
        else
            results.r0 = 1;
    }
    begin_watch();
    begin_flash();
    for (;;) {
        Call call;
        leave_world(&results, &call);
        results = serve(call);
    }
}

// The console is written to directly: nobody else will.
void secure_fault(uint32_t kind, uint32_t link, uint32_t status) {
    static const char* const names[] = {"", "undefined instruction", "supervisor call", "prefetch abort", "data abort"};
    constexpr uint32_t behind[] = {0, 4, 4, 4, 8};
    uint32_t address;
    asm volatile("mrc p15, 0, %0, c6, c0, 0" : "=r"(address));
    write_at_once();
    console_printf("secure: %s at 0x%08x, address 0x%08x, status 0x%x: the board is reset\n", names[kind],
                   static_cast<unsigned>(link - behind[kind]), static_cast<unsigned>(address), static_cast<unsigned>(status));
    give_up();
}

}  // namespace partita::secure
