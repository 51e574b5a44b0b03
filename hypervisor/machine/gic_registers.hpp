// GICv2 register offsets and list-register fields (ARM IHI 0048B.b §4.3, §4.4, §5.3).
#pragma once

#include <cstdint>

#include "partita/secure.h"

#include "arch/bits.hpp"

namespace partita {

namespace gicd {
inline constexpr std::uint32_t CTLR = 0x000, TYPER = 0x004, IIDR = 0x008, IGROUPR = 0x080, ISENABLER = 0x100, ICENABLER = 0x180,
                               ISPENDR = 0x200, ICPENDR = 0x280, ISACTIVER = 0x300, ICACTIVER = 0x380, IPRIORITYR = 0x400,
                               ITARGETSR = 0x800, ICFGR = 0xc00, SGIR = 0xf00, CPENDSGIR = 0xf10, SPENDSGIR = 0xf20, ICPIDR2 = 0xfe8;
}

namespace gicc {
inline constexpr std::uint32_t CTLR = 0x00, PMR = 0x04, BPR = 0x08, IAR = 0x0c, EOIR = 0x10, HPPIR = 0x18, DIR = 0x1000;
inline constexpr std::uint32_t enable = 1, eoi_mode = 1u << 9;
}  // namespace gicc

namespace gich {
inline constexpr std::uint32_t HCR = 0x00, VTR = 0x04, VMCR = 0x08, MISR = 0x10, EISR0 = 0x20, ELRSR0 = 0x30, APR = 0xf0, LR = 0x100;
namespace hcr {
inline constexpr std::uint32_t enable = 1, underflow = 2, entry_not_present = 4, no_pending = 8;
using EoiCount = Field<std::uint32_t, 31, 27>;
}  // namespace hcr
}  // namespace gich

// A list register (GICH_LRn).
namespace list_register {
using VirtualId = Field<std::uint32_t, 9, 0>;
using PhysicalId = Field<std::uint32_t, 19, 10>;  // where Hardware is set
using SourceCpu = Field<std::uint32_t, 12, 10>;   // of an SGI, where Hardware is clear
using NotifyEoi = Field<std::uint32_t, 19>;       // where Hardware is clear
using Priority = Field<std::uint32_t, 27, 23>;
using Pending = Field<std::uint32_t, 28>;
using Active = Field<std::uint32_t, 29>;
using Hardware = Field<std::uint32_t, 31>;
static_assert(disjoint<VirtualId, PhysicalId, Priority, Pending, Active, Hardware>);

[[nodiscard]] constexpr bool live(std::uint32_t lr) { return (lr & (Pending::mask | Active::mask)) != 0; }
}  // namespace list_register

namespace intid {
// The hypervisor's own SGIs: of the eight that a secure world leaves to the other (IHI 0048B 2.2.1).
inline constexpr std::uint32_t sgi_post = PARTITA_SECURE_PING_SGI;  // look into your inbox: one that the secure world raises finds it empty
inline constexpr std::uint32_t sgi_stop = 6;                        // stop: a panic elsewhere, or the board goes off
inline constexpr std::uint32_t maintenance = 25, hyp_timer = 26, virtual_timer = 27, physical_timer = 30;
inline constexpr std::uint32_t first_ppi = 16, first_spi = 32, special = 1020;
}  // namespace intid

}  // namespace partita
