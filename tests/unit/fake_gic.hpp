// A GICv2 for tests: the list registers with the guest's side of them, and what was done to the physical distributor.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "machine/gic_registers.hpp"
#include "machine/layout.hpp"
#include "mmio.hpp"

namespace partita {

class FakeGic final : public FakeDevice {
public:
    explicit FakeGic(unsigned list_registers = 4) : lr(list_registers) {}

    // The interfaces are banked: whose list registers, and what its guest runs, are seen from now on.
    void select(unsigned cpu) {
        if (cpu == selected_) return;
        Bank& mine = banks_[selected_];
        mine = {lr, control, other, running};
        Bank& its = banks_[cpu];
        if (its.lr.empty()) its.lr.resize(lr.size());
        lr = its.lr, control = its.control, other = its.other, running = its.running;
        selected_ = cpu;
    }

    // --- what the guest does at GICV ---------------------------------------------------------------------------------
    // The list register that would be acknowledged: the most urgent pending one, if it may preempt what is active.
    [[nodiscard]] std::optional<std::uint32_t> signalled() const {
        using namespace list_register;
        std::optional<std::uint32_t> best;
        for (const std::uint32_t value : lr)
            if (Pending::test(value) && !Active::test(value) && (!best || Priority::get(value) < Priority::get(*best))) best = value;
        if (best && !running.empty() && Priority::get(*best) >= running.back().second) return std::nullopt;
        return best;
    }
    // The most urgent pending interrupt, if it may preempt what is active; it becomes active.
    std::optional<std::uint32_t> acknowledge() {
        using namespace list_register;
        int best = -1;
        for (unsigned n = 0; n < lr.size(); ++n)
            if (Pending::test(lr[n]) && !Active::test(lr[n]) &&
                (best < 0 || Priority::get(lr[n]) < Priority::get(lr[static_cast<unsigned>(best)])))
                best = static_cast<int>(n);
        if (best < 0) return std::nullopt;
        std::uint32_t& value = lr[static_cast<unsigned>(best)];
        if (!running.empty() && Priority::get(value) >= running.back().second) return std::nullopt;
        value = (value & ~Pending::mask) | Active::mask;
        running.emplace_back(VirtualId::get(value), Priority::get(value));
        return VirtualId::get(value);
    }
    // Ends the interrupt that runs: priority drop and deactivation.
    void end() {
        using namespace list_register;
        const std::uint32_t id = running.back().first;
        running.pop_back();
        for (std::uint32_t& value : lr) {
            if (VirtualId::get(value) != id || !Active::test(value)) continue;
            value &= ~Active::mask;
            if (Hardware::test(value)) physical_active.erase(PhysicalId::get(value));
            return;
        }
        control = gich::hcr::EoiCount::set(control, gich::hcr::EoiCount::get(control) + 1u);
    }
    // Whether the maintenance interrupt is raised (IHI 0048B §5.2.5).
    [[nodiscard]] bool maintenance() const {
        const int valid = static_cast<int>(lr.size()) - std::popcount(empty() | ended());
        const bool none_pending = std::none_of(lr.begin(), lr.end(), [](std::uint32_t value) {
            return list_register::Pending::test(value) && !list_register::Active::test(value);
        });
        if ((control & gich::hcr::no_pending) != 0 && none_pending) return true;
        return ended() != 0 || ((control & gich::hcr::underflow) != 0 && valid <= 1) ||
               ((control & gich::hcr::entry_not_present) != 0 && gich::hcr::EoiCount::get(control) != 0);
    }
    [[nodiscard]] unsigned live() const {
        unsigned count = 0;
        for (const std::uint32_t value : lr) count += list_register::live(value) ? 1u : 0u;
        return count;
    }

    bool read(std::uintptr_t address, std::uint32_t& value) override {
        ++accesses;
        if (address >= layout::gich && address < layout::gich + 0x1000) {
            value = read_interface(static_cast<std::uint32_t>(address - layout::gich));
            return true;
        }
        if (address == layout::gicc + gicc::IAR) {
            value = 1023;
            if (!to_acknowledge.empty()) {
                value = to_acknowledge.front();
                to_acknowledge.erase(to_acknowledge.begin());
            }
            return true;
        }
        if (address == layout::gicc + gicc::HPPIR) {
            value = to_acknowledge.empty() ? 1023 : to_acknowledge.front();
            return true;
        }
        if (address < layout::gicd + gicd::ICFGR || address >= layout::gicd + gicd::SGIR) return false;
        value = configuration[static_cast<std::uint32_t>(address - layout::gicd - gicd::ICFGR) / 4];
        return true;
    }
    bool write(std::uintptr_t address, std::uint32_t value) override {
        ++accesses;
        if (address >= layout::gich && address < layout::gich + 0x1000) {
            const auto offset = static_cast<std::uint32_t>(address - layout::gich);
            if (offset >= gich::LR && offset < gich::LR + lr.size() * 4)
                lr[(offset - gich::LR) / 4] = value;
            else if (offset == gich::HCR)
                control = value;
            else
                other[offset] = value;
            return true;
        }
        if (address < layout::gicd || address >= layout::gicd + 0x1000) return false;
        const auto offset = static_cast<std::uint32_t>(address - layout::gicd);
        const auto each = [&](std::uint32_t base, auto&& use) {
            if (offset < base || offset >= base + 0x80) return;
            for (std::uint32_t bits = value; bits != 0; bits &= bits - 1)
                use((offset - base) * 8 + static_cast<std::uint32_t>(__builtin_ctz(bits)));
        };
        each(gicd::ISENABLER, [&](std::uint32_t id) { physical_enabled.insert(id); });
        each(gicd::ICENABLER, [&](std::uint32_t id) { physical_enabled.erase(id); });
        each(gicd::ISACTIVER, [&](std::uint32_t id) { physical_active.insert(id); });
        each(gicd::ICACTIVER, [&](std::uint32_t id) { physical_active.erase(id); });
        each(gicd::ISPENDR, [&](std::uint32_t id) { physical_pending.insert(id); });
        each(gicd::ICPENDR, [&](std::uint32_t id) { physical_pending.erase(id); });
        if (offset >= gicd::ITARGETSR && offset < gicd::ICFGR) physical_target[offset - gicd::ITARGETSR] = value;
        if (offset >= gicd::ICFGR && offset < gicd::SGIR) configuration[(offset - gicd::ICFGR) / 4] = value;
        if (offset == gicd::SGIR) sgis.push_back(value);
        return true;
    }

    std::vector<std::uint32_t> lr;
    std::uint32_t control = 0;
    std::map<std::uint32_t, std::uint32_t> other;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> running;  // INTID and priority, the innermost last
    std::set<std::uint32_t> physical_enabled, physical_active, physical_pending;
    std::map<std::uint32_t, std::uint32_t> physical_target, configuration;  // by INTID; by word of ICFGR
    std::vector<std::uint32_t> sgis, to_acknowledge;
    unsigned accesses = 0;

private:
    struct Bank {
        std::vector<std::uint32_t> lr;
        std::uint32_t control = 0;
        std::map<std::uint32_t, std::uint32_t> other;
        std::vector<std::pair<std::uint32_t, std::uint32_t>> running;
    };
    std::array<Bank, 8> banks_{};
    unsigned selected_ = 0;

    [[nodiscard]] std::uint32_t ended() const {
        std::uint32_t bits = 0;
        for (unsigned n = 0; n < lr.size(); ++n)
            if (!list_register::live(lr[n]) && !list_register::Hardware::test(lr[n]) && list_register::NotifyEoi::test(lr[n]))
                bits |= 1u << n;
        return bits;
    }
    [[nodiscard]] std::uint32_t empty() const {
        std::uint32_t bits = 0;
        for (unsigned n = 0; n < lr.size(); ++n)
            if (!list_register::live(lr[n])) bits |= 1u << n;
        return bits & ~ended();
    }
    [[nodiscard]] std::uint32_t read_interface(std::uint32_t offset) const {
        if (offset == gich::ELRSR0) return empty();
        if (offset == gich::EISR0) return ended();
        if (offset == gich::HCR) return control;
        if (offset == gich::VTR) return static_cast<std::uint32_t>(lr.size() - 1);
        if (offset >= gich::LR && offset < gich::LR + lr.size() * 4) return lr[(offset - gich::LR) / 4];
        const auto at = other.find(offset);
        return at == other.end() ? 0 : at->second;
    }
};

}  // namespace partita
