// System registers by their manual names (ARM DDI 0406C.d B3.17, B4, B8), and the bits that the hypervisor uses.
#pragma once

#include <cstdint>

#include "arch/bits.hpp"
#include "coprocessor.hpp"

namespace partita {

// Identification
using MIDR = Cp15<0, 0, 0, 0>;
using MPIDR = Cp15<0, 0, 0, 5>;
using CTR = Cp15<0, 0, 0, 1>;
using VPIDR = Cp15<4, 0, 0, 0>;
using VMPIDR = Cp15<4, 0, 0, 5>;
using CSSELR = Cp15<2, 0, 0, 0>;

// PL1 state
using SCTLR = Cp15<0, 1, 0, 0>;
using ACTLR = Cp15<0, 1, 0, 1>;
using CPACR = Cp15<0, 1, 0, 2>;
using TTBR0 = Cp15Long<0, 2>;
using TTBR1 = Cp15Long<1, 2>;
using TTBCR = Cp15<0, 2, 0, 2>;
using DACR = Cp15<0, 3, 0, 0>;
using DFSR = Cp15<0, 5, 0, 0>;
using IFSR = Cp15<0, 5, 0, 1>;
using ADFSR = Cp15<0, 5, 1, 0>;
using AIFSR = Cp15<0, 5, 1, 1>;
using DFAR = Cp15<0, 6, 0, 0>;
using IFAR = Cp15<0, 6, 0, 2>;
using PAR = Cp15Long<0, 7>;
using PRRR = Cp15<0, 10, 2, 0>;
using NMRR = Cp15<0, 10, 2, 1>;
using AMAIR0 = Cp15<0, 10, 3, 0>;
using AMAIR1 = Cp15<0, 10, 3, 1>;
using VBAR = Cp15<0, 12, 0, 0>;
using CONTEXTIDR = Cp15<0, 13, 0, 1>;
using TPIDRURW = Cp15<0, 13, 0, 2>;
using TPIDRURO = Cp15<0, 13, 0, 3>;
using TPIDRPRW = Cp15<0, 13, 0, 4>;
using TEECR = Cp14<6, 0, 0, 0>;
using TEEHBR = Cp14<6, 1, 0, 0>;
using ID_PFR0 = Cp15<0, 0, 1, 0>;

// Hyp
using HSCTLR = Cp15<4, 1, 0, 0>;
using HACTLR = Cp15<4, 1, 0, 1>;
using HCR = Cp15<4, 1, 1, 0>;
using PMCR = Cp15<0, 9, 12, 0>;
using PMCNTENCLR = Cp15<0, 9, 12, 2>;
using PMOVSR = Cp15<0, 9, 12, 3>;
using PMSELR = Cp15<0, 9, 12, 5>;
using PMXEVTYPER = Cp15<0, 9, 13, 1>;
using PMUSERENR = Cp15<0, 9, 14, 0>;
using PMINTENCLR = Cp15<0, 9, 14, 2>;
using HDCR = Cp15<4, 1, 1, 1>;
using HCPTR = Cp15<4, 1, 1, 2>;
using HSTR = Cp15<4, 1, 1, 3>;
using HTCR = Cp15<4, 2, 0, 2>;
using VTCR = Cp15<4, 2, 1, 2>;
using HTTBR = Cp15Long<4, 2>;
using VTTBR = Cp15Long<6, 2>;
using HSR = Cp15<4, 5, 2, 0>;
using HDFAR = Cp15<4, 6, 0, 0>;
using HIFAR = Cp15<4, 6, 0, 2>;
using HPFAR = Cp15<4, 6, 0, 4>;
using HMAIR0 = Cp15<4, 10, 2, 0>;
using HMAIR1 = Cp15<4, 10, 2, 1>;
using HVBAR = Cp15<4, 12, 0, 0>;
using HTPIDR = Cp15<4, 13, 0, 2>;

// Address translation and TLB
using ATS1CPR = Cp15<0, 7, 8, 0>;
using ATS1CPW = Cp15<0, 7, 8, 1>;
using ATS1CUR = Cp15<0, 7, 8, 2>;
using ATS1CUW = Cp15<0, 7, 8, 3>;
using TLBIALLNSNH = Cp15<4, 8, 7, 4>;
using TLBIALL = Cp15<0, 8, 7, 0>;
using TLBIMVAHIS = Cp15<4, 8, 3, 1>;
using TLBIALLHIS = Cp15<4, 8, 3, 0>;

// Caches
using ICIALLU = Cp15<0, 7, 5, 0>;
using BPIALL = Cp15<0, 7, 5, 6>;
using DCCMVAC = Cp15<0, 7, 10, 1>;
using DCCIMVAC = Cp15<0, 7, 14, 1>;

// Generic timer
using CNTFRQ = Cp15<0, 14, 0, 0>;
using CNTKCTL = Cp15<0, 14, 1, 0>;
using CNTV_CTL = Cp15<0, 14, 3, 1>;
using CNTHCTL = Cp15<4, 14, 1, 0>;
using CNTHP_CTL = Cp15<4, 14, 2, 1>;
using CNTPCT = Cp15Long<0, 14>;
using CNTVCT = Cp15Long<1, 14>;
using CNTV_CVAL = Cp15Long<3, 14>;
using CNTVOFF = Cp15Long<4, 14>;
using CNTHP_CVAL = Cp15Long<6, 14>;

namespace hcr {
inline constexpr std::uint32_t VM = 1u << 0, SWIO = 1u << 1, PTW = 1u << 2, FMO = 1u << 3, IMO = 1u << 4, AMO = 1u << 5, VA = 1u << 8,
                               FB = 1u << 9, BSU_IS = 1u << 10, DC = 1u << 12, TWI = 1u << 13, TWE = 1u << 14, TID3 = 1u << 18,
                               TSC = 1u << 19, TIDCP = 1u << 20, TAC = 1u << 21, TVM = 1u << 26;
}  // namespace hcr

namespace hstr {
inline constexpr std::uint32_t T15 = 1u << 15, TJDBX = 1u << 17;
}

namespace hcptr {
inline constexpr std::uint32_t TCP10 = 1u << 10, TCP11 = 1u << 11, TTA = 1u << 20;
inline constexpr std::uint32_t all_but_vfp = 0x33ff;  // TCP0-TCP9, TCP12, TCP13
}  // namespace hcptr

namespace hdcr {
inline constexpr std::uint32_t TPMCR = 1u << 5, TPM = 1u << 6, counters = TPM | TPMCR, TDA = 1u << 9, TDOSA = 1u << 10, TDRA = 1u << 11;
using CountersForHyp = Field<std::uint32_t, 4, 0>;
}  // namespace hdcr

// What traps, as one value: the row "ours" of the matrix. A partition's policy differs only where it says so.
struct TrapPolicy {
    std::uint32_t hcr =
        hcr::VM | hcr::SWIO | hcr::PTW | hcr::FMO | hcr::IMO | hcr::AMO | hcr::TWI | hcr::TID3 | hcr::TSC | hcr::TIDCP | hcr::TAC;
    std::uint32_t hstr = hstr::T15 | hstr::TJDBX;
    std::uint32_t hcptr = hcptr::all_but_vfp | hcptr::TTA;
    std::uint32_t hdcr = hdcr::counters | hdcr::TDA | hdcr::TDOSA | hdcr::TDRA;  // HPMN is added from the reset value
    std::uint32_t cnthctl = 1;                                                   // PL1PCTEN: CNTPCT is free, CNTP_* traps
};

namespace timer_control {
inline constexpr std::uint32_t enable = 1, masked = 2, status = 4;
}

}  // namespace partita
