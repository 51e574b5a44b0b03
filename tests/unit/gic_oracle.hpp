// A GICv2 as its architecture has it (IHI 0048B §3), for one partition: slow, obvious, and written without a look at the
// virtual GIC. No Security Extensions, one group, all priorities of five bits, every priority preempts.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace partita {

class GicOracle {
public:
    static constexpr unsigned cpus = 2, interrupts = 96, first_spi = 32;

    struct Interrupt {
        bool enabled = false, edge = false, latched = false, line = false, active = false;
        std::uint32_t priority = 0, targets = 1;
        std::uint32_t sources = 0;  // of an SGI: the CPUs that have one pending here
    };
    struct Running {
        unsigned id;
        std::uint32_t priority;
    };

    bool forwards = false;

    GicOracle() {
        for (auto& bank : banked_)
            for (unsigned id = 0; id < first_spi; ++id) bank[id].enabled = bank[id].edge = id < 16;
    }

    // SGIs and PPIs are banked: `cpu` is whose.
    [[nodiscard]] Interrupt& at(unsigned cpu, unsigned id) { return id < first_spi ? banked_[cpu][id] : spis_[id - first_spi]; }

    [[nodiscard]] bool pending(unsigned cpu, unsigned id) {
        const Interrupt& interrupt = at(cpu, id);
        return interrupt.sources != 0 || interrupt.latched || (interrupt.line && !interrupt.edge);
    }

    // Of the targets that the 1-N model allows (§3.2.3), the lowest takes the interrupt.
    [[nodiscard]] bool targets(unsigned cpu, unsigned id) {
        if (id < first_spi) return true;
        const std::uint32_t mask = at(cpu, id).targets;
        return mask != 0 && static_cast<unsigned>(__builtin_ctz(mask)) == cpu;
    }

    // Whether the distributor forwards it to this CPU interface (§3.2.4: never while it is active).
    [[nodiscard]] bool forwarded(unsigned cpu, unsigned id) {
        return forwards && at(cpu, id).enabled && pending(cpu, id) && !at(cpu, id).active && targets(cpu, id);
    }

    // The priority of what the CPU interface would signal; nothing where none may preempt what runs (§3.3).
    [[nodiscard]] std::optional<std::uint32_t> signalled(unsigned cpu) {
        std::optional<std::uint32_t> best;
        for (unsigned id = 0; id < interrupts; ++id)
            if (forwarded(cpu, id)) best = std::min(best.value_or(~0u), at(cpu, id).priority);
        if (best && !running[cpu].empty() && *best >= running[cpu].back().priority) return std::nullopt;
        return best;
    }

    // IAR gave this interrupt, of this source.
    void acknowledge(unsigned cpu, unsigned id, unsigned source) {
        Interrupt& interrupt = at(cpu, id);
        running[cpu].push_back({id, interrupt.priority});
        interrupt.active = true;
        interrupt.latched = false;
        if (id < 16) interrupt.sources &= ~(1u << source);
    }

    // EOIR for the innermost one that runs.
    void end(unsigned cpu) {
        at(cpu, running[cpu].back().id).active = false;
        running[cpu].pop_back();
    }

    [[nodiscard]] bool runs(unsigned cpu, unsigned id) {
        return std::any_of(running[cpu].begin(), running[cpu].end(), [id](const Running& one) { return one.id == id; });
    }
    [[nodiscard]] bool runs_anywhere(unsigned id) { return runs(0, id) || runs(1, id); }

    void set_line(unsigned cpu, unsigned id, bool high) {
        Interrupt& interrupt = at(cpu, id);
        if (interrupt.edge && high && !interrupt.line) interrupt.latched = true;
        interrupt.line = high;
    }

    // SGIR (§4.3.15): filter 0 takes the list, 1 everybody else, 2 the sender; 3 is reserved.
    void send(unsigned sender, unsigned id, unsigned filter, std::uint32_t list) {
        for (unsigned cpu = 0; cpu < cpus; ++cpu) {
            const bool meant = filter == 0 ? (list >> cpu & 1u) != 0 : filter == 1 ? cpu != sender : filter == 2 && cpu == sender;
            if (meant) at(cpu, id).sources |= 1u << sender;
        }
    }

    std::array<std::vector<Running>, cpus> running;  // the innermost last

private:
    std::array<std::array<Interrupt, first_spi>, cpus> banked_{};
    std::array<Interrupt, interrupts - first_spi> spis_{};
};

}  // namespace partita
