// What moves when the vCPU on a CPU changes: all state that the guest can read or write and that is not in the frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "arch/registers.hpp"
#include "partition/system_registers.h"

namespace partita {

// Filled by save_banked() and written by load_banked() (world_switch.S): the order is theirs.
struct BankedRegisters {
    std::uint32_t sp_usr;
    std::uint32_t sp_svc, lr_svc, spsr_svc;
    std::uint32_t sp_abt, lr_abt, spsr_abt;
    std::uint32_t sp_und, lr_und, spsr_und;
    std::uint32_t sp_irq, lr_irq, spsr_irq;
    std::uint32_t fiq[7];  // r8-r12, sp, lr
    std::uint32_t spsr_fiq;
};
static_assert(sizeof(BankedRegisters) == 21 * 4);

// VFP and NEON (world_switch.S).
struct alignas(8) VfpRegisters {
    std::array<std::uint64_t, 32> d;
    std::uint32_t fpscr;
    std::uint32_t fpexc;
};
static_assert(offsetof(VfpRegisters, fpscr) == 256);

// CP15 and CP14 state of PL1 and PL0: the table of system_registers.h, saved and loaded by save_system() and load_system()
// (system_registers.S), and two more.
struct SystemRegisters {
#define PARTITA_PAIR(first, second, name, opc1, crm, free) std::uint64_t name;
#define PARTITA_WORD(n, name, opc1, crn, crm, opc2, free) std::uint32_t name;
    PARTITA_SYSTEM_PAIRS(PARTITA_PAIR)
    PARTITA_SYSTEM_WORDS(PARTITA_WORD)
#undef PARTITA_PAIR
#undef PARTITA_WORD
    std::uint32_t teecr, teehbr;  // where the CPU has ThumbEE
};
static_assert(offsetof(SystemRegisters, sctlr) == 24 && offsetof(SystemRegisters, teecr) == 24 + 21 * 4);

}  // namespace partita
