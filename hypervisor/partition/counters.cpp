#include "partition/counters.hpp"

#include "arch/registers.hpp"
#include "barrier.hpp"
#include "machine/gic.hpp"
#include "partition/system.hpp"

namespace partita {

void reset_counters(Vcpu& vcpu) {
    if (!has_counters(*vcpu.partition)) return;
    constexpr std::uint32_t reset_events = 1u << 1, reset_cycles = 1u << 2, all = ~0u, cycles = 31;
    using Count = Field<std::uint32_t, 15, 11>;
    PMCNTENCLR::write(all);
    PMINTENCLR::write(all);
    PMCR::write(reset_events | reset_cycles);
    PMOVSR::write(all);
    const std::uint32_t count = Count::get(PMCR::read());
    for (std::uint32_t n = 0; n <= count; ++n) {
        PMSELR::write(n == count ? cycles : n);
        isb();
        PMXEVTYPER::write(0);
    }
    PMSELR::write(0);
    PMUSERENR::write(0);
    isb();
    const std::uint32_t id = system().image->board.pmu_interrupt;
    gic::disable(id);
    gic::clear_active(id);
    gic::clear_pending(id);
}

void link_counters(Vcpu& vcpu) {
    if (has_counters(*vcpu.partition)) vcpu.interrupts.link_private(system().image->board.pmu_interrupt);
}

}  // namespace partita
