// What moves when the vCPU on a CPU changes: all state that the guest can read or write and that is not in the frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "arch/registers.hpp"

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

// CP15 and CP14 state of PL1 and PL0 (DDI 0406C B1.5, B3.17).
struct SystemRegisters {
    std::uint64_t ttbr0, ttbr1, par;
    std::uint32_t sctlr, cpacr, ttbcr, dacr;
    std::uint32_t dfsr, ifsr, adfsr, aifsr, dfar, ifar;
    std::uint32_t prrr, nmrr, amair0, amair1;
    std::uint32_t vbar, contextidr, tpidrurw, tpidruro, tpidrprw;
    std::uint32_t csselr, cntkctl, teecr, teehbr;

    void save(bool has_thumbee) {
        ttbr0 = TTBR0::read(), ttbr1 = TTBR1::read(), par = PAR::read();
        sctlr = SCTLR::read(), cpacr = CPACR::read(), ttbcr = TTBCR::read(), dacr = DACR::read();
        dfsr = DFSR::read(), ifsr = IFSR::read(), adfsr = ADFSR::read(), aifsr = AIFSR::read();
        dfar = DFAR::read(), ifar = IFAR::read();
        prrr = PRRR::read(), nmrr = NMRR::read(), amair0 = AMAIR0::read(), amair1 = AMAIR1::read();
        vbar = VBAR::read(), contextidr = CONTEXTIDR::read();
        tpidrurw = TPIDRURW::read(), tpidruro = TPIDRURO::read(), tpidrprw = TPIDRPRW::read();
        csselr = CSSELR::read(), cntkctl = CNTKCTL::read();
        if (has_thumbee) teecr = TEECR::read(), teehbr = TEEHBR::read();
    }
    void load(bool has_thumbee) const {
        TTBR0::write(ttbr0), TTBR1::write(ttbr1), PAR::write(par);
        SCTLR::write(sctlr), CPACR::write(cpacr), TTBCR::write(ttbcr), DACR::write(dacr);
        DFSR::write(dfsr), IFSR::write(ifsr), ADFSR::write(adfsr), AIFSR::write(aifsr);
        DFAR::write(dfar), IFAR::write(ifar);
        PRRR::write(prrr), NMRR::write(nmrr), AMAIR0::write(amair0), AMAIR1::write(amair1);
        VBAR::write(vbar), CONTEXTIDR::write(contextidr);
        TPIDRURW::write(tpidrurw), TPIDRURO::write(tpidruro), TPIDRPRW::write(tpidrprw);
        CSSELR::write(csselr), CNTKCTL::write(cntkctl);
        if (has_thumbee) TEECR::write(teecr), TEEHBR::write(teehbr);
    }
};

}  // namespace partita
