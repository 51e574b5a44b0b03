// A virtual CPU. It is *loaded* (its registers are in a physical CPU, and only that CPU touches them) or *parked* (they are
// memory). Nothing assumes that it has a CPU of its own.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "arch/address.hpp"
#include "arch/psr.hpp"
#include "interrupt/virtual_gic.hpp"
#include "machine/timer.hpp"
#include "partition/request.hpp"
#include "partition/vcpu_state.hpp"
#include "schedule/budget.hpp"

namespace partita {

struct Cpu;
struct Partition;

enum class RunState : std::uint32_t {
    off,      // never runs until something starts it
    loading,  // its partition's memory is being prepared, or its end told, in this vCPU's processor time
    runnable,
    blocked,  // in WFI
    waiting,  // for the answer of a server partition (`request`)
    paused,   // ... its partition is, and its state goes on as `resumes_as`
};

// Whether the guest has it on, as PSCI tells it. Changed by compare-and-swap: two CPU_ON calls have one winner.
enum class Power : std::uint32_t { off, on_pending, on };

namespace event {
inline constexpr std::uint32_t start = 2;     // CPU_ON: `start_entry`, `start_context` and `start_life` are set
inline constexpr std::uint32_t load = 4;      // (re)start the partition on its first vCPU
inline constexpr std::uint32_t stop = 8;      // the partition ends: this vCPU's part of it
inline constexpr std::uint32_t alarm = 32;    // the partition's clock was set
inline constexpr std::uint32_t off = 16;      // CPU_OFF, by the vCPU itself
inline constexpr std::uint32_t tell = 64;     // tell of the partition's end on its first vCPU
inline constexpr std::uint32_t pace = 128;    // the partition is being paused, or goes on
inline constexpr std::uint32_t news = 256;    // the log has something for it, which is of the parent partition
inline constexpr std::uint32_t answer = 512;  // `request` was settled
}  // namespace event

struct Vcpu {
    // The frame. While the guest runs, SP_hyp points behind it; vectors.S pushes r0-r12 and LR_usr, and SP_hyp is the Vcpu.
    std::array<std::uint32_t, 14> r{};
    std::uint32_t elr = 0, spsr = 0;  // while parked

    Cpu* cpu = nullptr;
    Partition* partition = nullptr;
    std::uint32_t index = 0;   // in its partition
    std::uint32_t bit = 0;     // in its CPU's inbox and masks: the lowest is the most urgent
    std::uint32_t equals = 0;  // the bits of those of its CPU that have its priority
    std::uint32_t priority = 0;
    const partita_trap_slot* traps = nullptr;  // its partition's emulated pages
    std::uint32_t trap_multiplier = 0;
    RunState state = RunState::off;  // changed by become() alone
    RunState resumes_as = RunState::off;
    std::uint32_t pause_seen = 0;  // which of its partition's pauses it stopped for last

    // Its processor time (schedule/). Sums are of this life.
    std::uint32_t turn = 0;        // at the first of its equals: the bit of the one whose turn it is
    timer::Ticks turn_until = 0;   // its turn is over when `ran` is this
    Account* account = nullptr;    // its budget; nullptr: none
    Account own_account;           // ... which lies at the first that draws on it
    timer::Ticks ran = 0;          // what it had
    timer::Ticks stolen = 0;       // what others had while it could run
    timer::Ticks ready_since = 0;  // while it can run and does not

    // The emulated physical timer (CNTP_*), and the virtual one while parked.
    std::uint32_t cntp_ctl = 0, cntv_ctl = 0;
    timer::Ticks cntp_cval = 0, cntv_cval = 0;
    timer::Ticks wake_at = 0;  // while parked and blocked: when the first of the two fires, by the physical counter; waiting: how long

    // The exclusive monitor for accesses that are emulated: what LDREX marked, until STREX.
    std::uint32_t exclusive_address = 0, exclusive_size = 0;  // 0: nothing

    Request request;                 // to a server partition
    std::uint64_t message_page = 0;  // PA of the page for its messages; 0: none

    std::array<std::uint32_t, 64> exits{};  // by exception class (HSR.EC); class 0 counts interrupts
    VcpuInterrupts interrupts;
    SystemRegisters system{};
    BankedRegisters banked{};
    VfpRegisters vfp{};

    // What others post to its CPU.
    std::atomic<std::uint32_t> events{0};
    std::atomic<Power> power{Power::off};
    std::uint32_t start_entry = 0, start_context = 0, start_life = 0;

    // Registers at the first instruction (DDI 0406C B1.9.1; PSCI DEN0022 §6.4): SVC, masked, MMU and caches off.
    void reset(std::uint32_t entry, std::uint32_t r0, std::uint32_t r1, std::uint32_t r2);
};
static_assert(offsetof(Vcpu, r) == 0);

// A vCPU with the stack that Hyp uses for its exits, right below its frame, and below that a page that is not mapped: who needs more
// stack than there is faults there, and writes over nothing.
struct alignas(kPageSize) VcpuSlot {
    static constexpr std::size_t backed = (sizeof(Vcpu) + 2048 + kPageSize - 1) / kPageSize * kPageSize;  // bytes that have memory
    std::array<std::byte, kPageSize> guard;
    std::array<std::byte, backed - sizeof(Vcpu)> stack;
    Vcpu vcpu;
};
static_assert(offsetof(VcpuSlot, vcpu) % 8 == 0 && sizeof(VcpuSlot) == kPageSize + VcpuSlot::backed);

inline void Vcpu::reset(std::uint32_t entry, std::uint32_t r0, std::uint32_t r1, std::uint32_t r2) {
    constexpr std::uint32_t sctlr_at_reset = 0x00c5'0078;
    const bool thumb = (entry & 1u) != 0;
    r.fill(0);
    r[0] = r0, r[1] = r1, r[2] = r2;
    elr = entry & ~1u;
    spsr = psr::svc | psr::AbortMask::mask | psr::IrqMask::mask | psr::FiqMask::mask | (thumb ? psr::Thumb::mask : 0);
    system = {};
    system.sctlr = sctlr_at_reset;
    banked = {};
    vfp = {};
    cntp_ctl = 0, cntv_ctl = 0;
    cntp_cval = 0, cntv_cval = 0;
    ran = stolen = turn_until = 0;
    exclusive_size = 0;
    message_page = 0;
}

}  // namespace partita
