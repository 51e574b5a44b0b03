#include "psci.hpp"

#include "partita/hypercall.h"

namespace partita::monitor {

using std::uint32_t;

namespace {

constexpr uint32_t version = 1u << 16 | 1u, convention = 1u << 16 | 1u;  // PSCI 1.1, SMCCC 1.1
constexpr uint32_t no_migration = 2;                                     // no trusted system that is bound to a CPU
constexpr uint32_t affinity_bits = 0x00ff'ffff;
constexpr uint32_t affinity_on = 0, affinity_off = 1, affinity_pending = 2;

[[nodiscard]] constexpr uint32_t result(std::int32_t value) { return static_cast<uint32_t>(value); }

}  // namespace

void Psci::open(const partita_monitor_header& board) {
    board_ = &board;
    cpus_[0].state.store(State::on, std::memory_order_relaxed);
}

uint32_t Psci::index_of(uint32_t mpidr) const {
    for (uint32_t n = 0; n < board_->cpus && n < cpus_.size(); ++n)
        if (board_->mpidr[n] == mpidr) return n;
    return ~0u;
}

// DEN0022 5.6. The entry is an address of memory that the caller's world has: never one of ours, nor a device.
[[gnu::noinline]] uint32_t Psci::start(const Call& registers) {
    const uint32_t n = index_of(registers.r1);
    if (n == ~0u) return result(PSCI_INVALID_PARAMETERS);
    if (registers.r2 - board_->ram >= board_->ram_size) return result(PSCI_INVALID_ADDRESS);
    Cpu& cpu = cpus_[n];
    State expected = State::off;
    if (!cpu.state.compare_exchange_strong(expected, State::claimed, std::memory_order_acquire))
        return result(expected == State::on ? PSCI_ALREADY_ON : PSCI_ON_PENDING);
    cpu.begin = {registers.r2, registers.r3};
    cpu.state.store(State::pending, std::memory_order_release);
    return result(PSCI_SUCCESS);
}

bool Psci::taken(uint32_t cpu, Begin& out) {
    if (cpus_[cpu].state.load(std::memory_order_acquire) != State::pending) return false;
    out = cpus_[cpu].begin;
    cpus_[cpu].state.store(State::on, std::memory_order_release);
    return true;
}

// DEN0022 5.7. Levels above 0 are not asked for since PSCI 1.0.
[[gnu::noinline]] uint32_t Psci::state_of(uint32_t mpidr, uint32_t level) const {
    const uint32_t n = index_of(mpidr);
    if (n == ~0u || level != 0) return result(PSCI_INVALID_PARAMETERS);
    switch (cpus_[n].state.load(std::memory_order_relaxed)) {
        case State::on: return affinity_on;
        case State::off: return affinity_off;
        default: return affinity_pending;
    }
}

bool Psci::is_function(uint32_t function) const {
    switch (function) {
        case PSCI_SYSTEM_OFF:
        case PSCI_SYSTEM_RESET: return board_->power != PARTITA_POWER_NONE;
        case PSCI_VERSION:
        case PSCI_CPU_SUSPEND:
        case PSCI_CPU_OFF:
        case PSCI_CPU_ON:
        case PSCI_AFFINITY_INFO:
        case PSCI_MIGRATE_INFO_TYPE:
        case PSCI_FEATURES:
        case SMCCC_VERSION:
        case SMCCC_ARCH_FEATURES: return true;
        default: return false;
    }
}

Psci::Answer Psci::call(Call& registers, uint32_t self) {
    Answer answer;
    uint32_t& r0 = registers.r0;
    const uint32_t function = r0;
    switch (function) {
        case PSCI_VERSION: r0 = version; break;
        case SMCCC_VERSION: r0 = convention; break;
        case PSCI_MIGRATE_INFO_TYPE: r0 = no_migration; break;
        case SMCCC_ARCH_FEATURES:
            r0 = result(registers.r1 == SMCCC_VERSION || registers.r1 == SMCCC_ARCH_FEATURES ? PSCI_SUCCESS : SMCCC_NOT_SUPPORTED);
            break;
        case PSCI_FEATURES: r0 = is_function(registers.r1) ? 0 : result(PSCI_NOT_SUPPORTED); break;
        case PSCI_AFFINITY_INFO: r0 = state_of(registers.r1 & affinity_bits, registers.r2); break;
        case PSCI_CPU_ON:
            r0 = start(registers);
            if (r0 == PSCI_SUCCESS) answer.wakes = index_of(registers.r1);
            break;
        case PSCI_CPU_SUSPEND:  // one state: the CPU waits for an interrupt, and keeps all that it has
            r0 = result(registers.r1 == 0 ? PSCI_SUCCESS : PSCI_INVALID_PARAMETERS);
            if (registers.r1 == 0) answer.then = Then::sleeps;
            break;
        case PSCI_CPU_OFF:
            cpus_[self].state.store(State::off, std::memory_order_release);
            answer.then = Then::is_off;
            break;
        case PSCI_SYSTEM_OFF:
        case PSCI_SYSTEM_RESET:
            if (board_->power == PARTITA_POWER_NONE) {
                r0 = result(PSCI_NOT_SUPPORTED);
                break;
            }
            answer.then = function == PSCI_SYSTEM_OFF ? Then::ends_system : Then::resets_system;
            break;
        default: r0 = result(PSCI_NOT_SUPPORTED); break;
    }
    return answer;
}

}  // namespace partita::monitor
