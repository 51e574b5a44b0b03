#include "machine/gic.hpp"

namespace partita::gic {

namespace {
constexpr std::uint32_t middle_priority = 0xa0a0a0a0;
}

void start_distributor() {
    const std::uint32_t words = (read32(layout::gicd + gicd::TYPER) & 0x1fu) + 1;
    write32(layout::gicd + gicd::CTLR, 0);
    for (std::uint32_t word = 1; word < words; ++word) {
        write32(layout::gicd + gicd::ICENABLER + word * 4, ~0u);
        write32(layout::gicd + gicd::ICPENDR + word * 4, ~0u);
        write32(layout::gicd + gicd::ICACTIVER + word * 4, ~0u);
    }
    for (std::uint32_t id = intid::first_spi; id < words * 32; id += 4) {
        write32(layout::gicd + gicd::IPRIORITYR + id, middle_priority);
        write32(layout::gicd + gicd::ITARGETSR + id, 0x01010101);
    }
    write32(layout::gicd + gicd::CTLR, 1);
}

std::uint8_t start_cpu_interface() {
    constexpr std::uint32_t own_ppis = 1u << intid::maintenance | 1u << intid::hyp_timer;
    constexpr std::uint32_t own_sgis = 1u << intid::sgi_post | 1u << intid::sgi_stop;
    write32(layout::gicd + gicd::ICENABLER, 0xffff0000);
    write32(layout::gicd + gicd::ICACTIVER, ~0u);
    for (std::uint32_t id = 0; id < intid::first_spi; id += 4) write32(layout::gicd + gicd::IPRIORITYR + id, middle_priority);
    write32(layout::gicd + gicd::ISENABLER, own_ppis | own_sgis);
    write32(layout::gicc + gicc::PMR, 0xff);
    write32(layout::gicc + gicc::BPR, 0);
    write32(layout::gicc + gicc::CTLR, gicc::enable | gicc::eoi_mode);
    for (unsigned n = 0; n < list_register_count(); ++n) set_list_register(n, 0);
    set_virtual_control(gich::hcr::enable);
    for (std::uint32_t id = 0; id < intid::first_spi; id += 4)
        if (const std::uint32_t targets = read32(layout::gicd + gicd::ITARGETSR + id); targets != 0)
            return static_cast<std::uint8_t>((targets | targets >> 8 | targets >> 16 | targets >> 24) & 0xffu);
    return 1;  // a uniprocessor GIC reads as zero here (IHI 0048B §4.3.12)
}

}  // namespace partita::gic
