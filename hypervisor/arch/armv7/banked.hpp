// The guest's registers that neither the frame nor CP15 holds: ELR_hyp, SPSR_hyp, and the banks of the other modes.
#pragma once

#include <cstdint>

#include "arch/psr.hpp"

namespace partita {

[[nodiscard]] inline std::uint32_t read_elr() {
    std::uint32_t value;
    asm volatile("mrs %0, elr_hyp" : "=r"(value));
    return value;
}
inline void write_elr(std::uint32_t value) { asm volatile("msr elr_hyp, %0" ::"r"(value)); }
[[nodiscard]] inline std::uint32_t read_spsr() {
    std::uint32_t value;
    asm volatile("mrs %0, spsr" : "=r"(value));
    return value;
}
// SPSR as the trap left it. Two reads in one handler are one instruction: not for code that writes it.
[[nodiscard]] inline std::uint32_t trapped_state() {
    std::uint32_t value;
    asm("mrs %0, spsr" : "=r"(value));
    return value;
}
inline void write_spsr(std::uint32_t value) { asm volatile("msr spsr_cxsf, %0" ::"r"(value)); }

// SP (which = 13) or LR (14) of a mode. Callers give a guest mode; usr and sys have their LR in the frame.
[[nodiscard, gnu::noinline]] inline std::uint32_t read_banked(std::uint32_t mode, unsigned which) {
    std::uint32_t value = 0;
    switch (mode << 4 | which) {
        case psr::svc << 4 | 13: asm volatile("mrs %0, sp_svc" : "=r"(value)); break;
        case psr::svc << 4 | 14: asm volatile("mrs %0, lr_svc" : "=r"(value)); break;
        case psr::abt << 4 | 13: asm volatile("mrs %0, sp_abt" : "=r"(value)); break;
        case psr::abt << 4 | 14: asm volatile("mrs %0, lr_abt" : "=r"(value)); break;
        case psr::und << 4 | 13: asm volatile("mrs %0, sp_und" : "=r"(value)); break;
        case psr::und << 4 | 14: asm volatile("mrs %0, lr_und" : "=r"(value)); break;
        case psr::irq << 4 | 13: asm volatile("mrs %0, sp_irq" : "=r"(value)); break;
        case psr::irq << 4 | 14: asm volatile("mrs %0, lr_irq" : "=r"(value)); break;
        case psr::fiq << 4 | 8: asm volatile("mrs %0, r8_fiq" : "=r"(value)); break;
        case psr::fiq << 4 | 9: asm volatile("mrs %0, r9_fiq" : "=r"(value)); break;
        case psr::fiq << 4 | 10: asm volatile("mrs %0, r10_fiq" : "=r"(value)); break;
        case psr::fiq << 4 | 11: asm volatile("mrs %0, r11_fiq" : "=r"(value)); break;
        case psr::fiq << 4 | 12: asm volatile("mrs %0, r12_fiq" : "=r"(value)); break;
        case psr::fiq << 4 | 13: asm volatile("mrs %0, sp_fiq" : "=r"(value)); break;
        case psr::fiq << 4 | 14: asm volatile("mrs %0, lr_fiq" : "=r"(value)); break;
        default: asm volatile("mrs %0, sp_usr" : "=r"(value)); break;
    }
    return value;
}

[[gnu::noinline]] inline void write_banked(std::uint32_t mode, unsigned which, std::uint32_t value) {
    switch (mode << 4 | which) {
        case psr::svc << 4 | 13: asm volatile("msr sp_svc, %0" ::"r"(value)); break;
        case psr::svc << 4 | 14: asm volatile("msr lr_svc, %0" ::"r"(value)); break;
        case psr::abt << 4 | 13: asm volatile("msr sp_abt, %0" ::"r"(value)); break;
        case psr::abt << 4 | 14: asm volatile("msr lr_abt, %0" ::"r"(value)); break;
        case psr::und << 4 | 13: asm volatile("msr sp_und, %0" ::"r"(value)); break;
        case psr::und << 4 | 14: asm volatile("msr lr_und, %0" ::"r"(value)); break;
        case psr::irq << 4 | 13: asm volatile("msr sp_irq, %0" ::"r"(value)); break;
        case psr::irq << 4 | 14: asm volatile("msr lr_irq, %0" ::"r"(value)); break;
        case psr::fiq << 4 | 8: asm volatile("msr r8_fiq, %0" ::"r"(value)); break;
        case psr::fiq << 4 | 9: asm volatile("msr r9_fiq, %0" ::"r"(value)); break;
        case psr::fiq << 4 | 10: asm volatile("msr r10_fiq, %0" ::"r"(value)); break;
        case psr::fiq << 4 | 11: asm volatile("msr r11_fiq, %0" ::"r"(value)); break;
        case psr::fiq << 4 | 12: asm volatile("msr r12_fiq, %0" ::"r"(value)); break;
        case psr::fiq << 4 | 13: asm volatile("msr sp_fiq, %0" ::"r"(value)); break;
        case psr::fiq << 4 | 14: asm volatile("msr lr_fiq, %0" ::"r"(value)); break;
        default: asm volatile("msr sp_usr, %0" ::"r"(value)); break;
    }
}

[[nodiscard]] inline std::uint32_t read_spsr_of(std::uint32_t mode) {
    std::uint32_t value;
    switch (mode) {
        case psr::fiq: asm volatile("mrs %0, spsr_fiq" : "=r"(value)); break;
        case psr::irq: asm volatile("mrs %0, spsr_irq" : "=r"(value)); break;
        case psr::abt: asm volatile("mrs %0, spsr_abt" : "=r"(value)); break;
        case psr::und: asm volatile("mrs %0, spsr_und" : "=r"(value)); break;
        default: asm volatile("mrs %0, spsr_svc" : "=r"(value)); break;
    }
    return value;
}

inline void write_spsr_of(std::uint32_t mode, std::uint32_t value) {
    switch (mode) {
        case psr::abt: asm volatile("msr spsr_abt, %0" ::"r"(value)); break;
        case psr::und: asm volatile("msr spsr_und, %0" ::"r"(value)); break;
        default: asm volatile("msr spsr_svc, %0" ::"r"(value)); break;
    }
}

// Media and VFP feature registers. Readable while HCPTR lets Hyp reach cp10.
[[nodiscard]] inline std::uint32_t read_mvfr0() {
    std::uint32_t value;
    asm volatile(".fpu neon\n\tvmrs %0, mvfr0" : "=r"(value));
    return value;
}
[[nodiscard]] inline std::uint32_t read_mvfr1() {
    std::uint32_t value;
    asm volatile(".fpu neon\n\tvmrs %0, mvfr1" : "=r"(value));
    return value;
}

}  // namespace partita
