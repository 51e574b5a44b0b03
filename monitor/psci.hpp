// The Power State Coordination Interface, version 1.1, for the non-secure world (DEN0022): which CPUs are on, and who begins where.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "partita/monitor.h"

namespace partita::monitor {

// Registers r0 to r7 of a call; r0 to r3 are then its results.
struct Call {
    std::uint32_t r0 = 0, r1 = 0, r2 = 0, r3 = 0, r4 = 0, r5 = 0, r6 = 0, r7 = 0;
};

// Where a CPU begins in Hyp mode, with `context` in r0.
struct Begin {
    std::uint32_t entry, context;
};

// What the calling CPU does after its call.
enum class Then { goes_on, sleeps, is_off, ends_system, resets_system };

class Psci {
public:
    // The first CPU is on from the begin.
    void open(const partita_monitor_header& board);

    // Any function of PSCI or of the calling convention; NOT_SUPPORTED for others. `waker`: after it the CPU named there is to look whether
    // it was started; none: all ones.
    struct Answer {
        Then then = Then::goes_on;
        std::uint32_t wakes = ~0u;
    };
    [[nodiscard]] Answer call(Call& registers, std::uint32_t self);

    // A CPU that is off: whether it was started meanwhile. True once.
    [[nodiscard]] bool taken(std::uint32_t cpu, Begin& out);

private:
    enum class State : std::uint32_t { off, claimed, pending, on };
    struct Cpu {
        std::atomic<State> state{State::off};
        Begin begin{};
    };
    [[nodiscard]] std::uint32_t index_of(std::uint32_t mpidr) const;
    [[nodiscard]] std::uint32_t start(const Call& registers);
    [[nodiscard]] std::uint32_t state_of(std::uint32_t mpidr, std::uint32_t level) const;
    [[nodiscard]] bool is_function(std::uint32_t function) const;

    const partita_monitor_header* board_ = nullptr;
    std::array<Cpu, PARTITA_MONITOR_CPUS> cpus_{};
};

}  // namespace partita::monitor
