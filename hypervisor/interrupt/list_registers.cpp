// What is in the list registers and what waits for one: taken in, yielded, taken back. See virtual_gic.hpp for the whole.
#include "interrupt/virtual_gic.hpp"
#include "machine/gic.hpp"

namespace partita {

namespace lr = list_register;
using std::uint32_t;

namespace {
constexpr uint32_t none = ~0u;
}

// The list register that was last given to id and has not been emptied since, or -1.
int VcpuInterrupts::find(uint32_t id) const {
    for (unsigned n = 0; n < count_; ++n)
        if (held_[n] == id + 1 && (empty_ >> n & 1u) == 0) return static_cast<int>(n);
    return -1;
}

// A live list register whose interrupt's word changed.
void VcpuInterrupts::reconcile(unsigned n, uint32_t value) {
    const uint32_t id = lr::VirtualId::get(value);
    const uint32_t now = word(id);
    const bool linked = lr::Hardware::test(value);
    if (!lr::Active::test(value)) {
        const bool level_fell =
            id >= 16 && !linked && !irq::Edge::test(now) && !irq::Offered::test(now) && !irq::asks(now | irq::Enabled::mask);
        if (!irq::Enabled::test(now) || !distributor_->forwards() || level_fell || !is_mine(id, now)) {
            fold(n);
            look_.add(id);  // looked at again at once: it may wait, or belong to another vCPU
            return;
        }
        value = lr::Priority::set(value, irq::Priority::get(now));
        // Made pending once more: merged into what waits to be taken.
        if (id >= 16 && irq::Pending::test(now) && !linked)
            (void)clear_and_set(id, irq::Pending::mask, irq::Edge::test(now) ? 0 : irq::Offered::mask);
        if (id < 16) sgi_sources_[id] = static_cast<std::uint8_t>(sgi_sources_[id] & ~(1u << lr::SourceCpu::get(value)));
    } else if (!linked && id >= 16 && irq::Edge::test(now)) {
        value = pend_active(id, value, now);
    }
    if (id < 16 && sgi_sources_[id] != 0) value |= lr::NotifyEoi::mask;
    gic::set_list_register(n, value);
}

// An active edge that is pending anew: in its list register where it may come when the active one ends, in its word otherwise.
uint32_t VcpuInterrupts::pend_active(uint32_t id, uint32_t value, uint32_t word) {
    if (!lr::Pending::test(value) && !irq::Pending::test(word)) return value;
    const bool here = is_mine(id, word) && irq::Enabled::test(word) && distributor_->forwards();
    (void)clear_and_set(id, here ? irq::Pending::mask : 0, here ? 0 : irq::Pending::mask);
    value = lr::Pending::set(value, here ? 1 : 0);
    return here ? value : value | lr::NotifyEoi::mask;  // whoever gets it next is to learn of the end
}

// Takes a list register's content back into memory.
void VcpuInterrupts::fold(unsigned n) {
    const uint32_t value = gic::list_register(n);
    const uint32_t id = held_[n] - 1;
    hold(n, 0);
    empty_ |= 1u << n;
    gic::set_list_register(n, 0);
    const bool pending = lr::Pending::test(value), active = lr::Active::test(value);
    uint32_t set = 0;
    if (id < 16) {
        const uint32_t source = lr::SourceCpu::get(value);
        if (pending) sgi_sources_[id] = static_cast<std::uint8_t>(sgi_sources_[id] | 1u << source);
        if (active) sgi_active_source_[id] = static_cast<std::uint8_t>(source);
    } else if (pending && (lr::Hardware::test(value) || irq::Edge::test(word(id)) || irq::Offered::test(word(id)))) {
        set |= irq::Pending::mask;  // the level of an emulated line is in its word already
    }
    if (active) set |= irq::Active::mask;
    const uint32_t now = clear_and_set(id, irq::Offered::mask | (active ? 0 : irq::Owner::mask | irq::Forced::mask), set);
    if (pending || active)
        wait(id, now);
    else
        look_.add(id);  // ended: a level that is still high, or an SGI of another source, comes next
    give_back(id, now);
}

// The physical interrupt is active on the guest's behalf. A level comes back by itself once it is enabled; an edge must be put
// back, or it would be lost.
void VcpuInterrupts::give_back(uint32_t id, uint32_t word) {
    if (!irq::Hardware::test(word) || !irq::Pending::test(word) || irq::Active::test(word) || irq::Enabled::test(word)) return;
    if (irq::Edge::test(word)) gic::set_pending(id);
    gic::clear_active(id);
    (void)clear_and_set(id, irq::Pending::mask, 0);
    unwait(id);
}

// Writes interrupt id, as its word has it, to the free list register n.
void VcpuInterrupts::write(unsigned n, uint32_t id) {
    if (held_[n] != 0) release(held_[n] - 1);
    const uint32_t before = word(id);
    const bool linked = irq::Hardware::test(before), was_active = irq::Active::test(before);
    const bool asking = asks(id, before) && distributor_->forwards();
    uint32_t value = lr::VirtualId::make(id) | lr::Priority::make(irq::Priority::get(before));
    value |= was_active ? lr::Active::mask : lr::Pending::mask;
    if (linked) {
        value |= lr::Hardware::mask | lr::PhysicalId::make(id);
    } else if (id < 16) {
        const uint32_t source = was_active ? sgi_active_source_[id] : static_cast<uint32_t>(__builtin_ctz(sgi_sources_[id]));
        value |= lr::SourceCpu::make(source);
        if (!was_active) sgi_sources_[id] = static_cast<std::uint8_t>(sgi_sources_[id] & ~(1u << source));
        if (sgi_sources_[id] != 0) value |= lr::NotifyEoi::mask;
    } else if (!irq::Edge::test(before)) {
        value |= lr::NotifyEoi::mask;
    } else if (was_active && irq::Pending::test(before)) {
        value |= is_mine(id, before) && asking ? lr::Pending::mask : lr::NotifyEoi::mask;
    }
    const bool took_latch = linked ? !was_active : id >= 16 && lr::Pending::test(value);
    const bool offered = took_latch && !linked && irq::Pending::test(before) && !irq::Edge::test(before);
    const uint32_t clear = irq::Active::mask | irq::Owner::mask | irq::Offered::mask | (was_active ? 0 : irq::Forced::mask) |
                           (took_latch ? irq::Pending::mask : 0);
    (void)clear_and_set(id, clear, (id < 32 ? 0 : irq::Owner::make(index_ + 1)) | irq::Offered::make(offered));
    hold(n, id + 1);
    if (id < 16) sgi_register_[id] = static_cast<std::uint8_t>(n);
    empty_ &= ~(1u << n);
    gic::set_list_register(n, value);
    if (observed_) note_injection(*this, id);
}

// The list register that must yield to an interrupt of this priority, or -1: the least urgent, pending ones first.
int VcpuInterrupts::victim(uint32_t priority) const {
    int choice = -1;
    uint32_t worst = priority;
    bool choice_active = true;
    for (unsigned n = 0; n < count_; ++n) {
        const uint32_t value = gic::list_register(n);
        const uint32_t here = lr::Priority::get(value);
        if (here <= priority) continue;
        const bool active = lr::Active::test(value);
        if (choice >= 0 && (active && !choice_active)) continue;
        if (choice < 0 || (choice_active && !active) || here > worst) {
            choice = static_cast<int>(n);
            worst = here;
            choice_active = active;
        }
    }
    return choice;
}

// The least urgent active list register when none is pending, or -1: one at least must be left to what is pending.
int VcpuInterrupts::active_victim() const {
    int choice = -1;
    uint32_t worst = 0;
    for (unsigned n = 0; n < count_; ++n) {
        const uint32_t value = gic::list_register(n);
        if (!lr::Active::test(value)) return -1;
        if (choice >= 0 && lr::Priority::get(value) <= worst) continue;
        choice = static_cast<int>(n);
        worst = lr::Priority::get(value);
    }
    return choice;
}

bool VcpuInterrupts::place(uint32_t id) {
    if (const uint32_t free = empty_ & all(); free != 0) {
        write(static_cast<unsigned>(__builtin_ctz(free)), id);
        return true;
    }
    const uint32_t now = word(id);
    if (irq::Active::test(now)) return false;  // its end is counted (GICH_HCR.EOICount): it needs no list register
    int yields = victim(irq::Priority::get(now));
    if (yields < 0) yields = active_victim();
    if (yields < 0) return false;
    fold(static_cast<unsigned>(yields));
    write(static_cast<unsigned>(yields), id);
    return true;
}

// Places what waits as far as there is room: pending ones first, the most urgent first. What is left.
VcpuInterrupts::Left VcpuInterrupts::place_all() {
    for (;;) {
        const uint32_t first = distributor_->forwards() ? waiting_.first_pending() : none;
        const bool pending = first != none;
        const uint32_t id = pending ? first : waiting_.first_active();
        if (id == none) return {};
        unwait(id);
        const uint32_t now = word(id);
        if (!takes(id, now)) {
            consider(id);
            continue;
        }
        if (place(id)) continue;
        wait(id, now);
        if (pending) blocked_priority_ = irq::Priority::get(now);
        return {pending, waiting_.any_active()};  // where no pending one finds room, no active one does
    }
}

// Gives list registers to what waits, and asks for maintenance only while something is left. A pending one that is left waits
// behind another pending one, so "none pending" is no storm (IHI 0048B §5.2.5).
void VcpuInterrupts::place_waiting() {
    blocked_priority_ = none;
    if (!look_.any() && !waiting_.any()) {
        set_control(gich::hcr::enable);
        return find_usable();
    }
    Left left{};
    // What yields may have ended meanwhile, and is looked at again: at most once for each list register.
    for (unsigned round = 0; round <= count_; ++round) {
        look_.drain([this](uint32_t id) { consider(id); });
        left = place_all();
        if (!look_.any()) break;
    }
    uint32_t control = gich::hcr::enable;
    if (left.pending || left.active) control |= gich::hcr::underflow | gich::hcr::entry_not_present;
    if (left.pending) control |= gich::hcr::no_pending;
    set_control(control);
    find_usable();
}

void VcpuInterrupts::set_control(uint32_t value) {
    if (control_ == value) return;
    control_ = value;
    gic::set_virtual_control(value);
}

// Takes account of ends that were counted (GICH_HCR.EOICount), before anything else is taken into memory or the count is written
// over: its maintenance interrupt may come later than what made Hyp run. True when there were some: the caller serves then.
bool VcpuInterrupts::count_ends() {
    if ((control_ & gich::hcr::entry_not_present) == 0) return false;
    const uint32_t count = gich::hcr::EoiCount::get(gic::virtual_control());
    if (count == 0) return false;
    end_spilled(count);
    control_ = gich::hcr::enable;
    usable_ = 0;
    blocked_priority_ = none;            // no look may leave it at that
    gic::set_virtual_control(control_);  // takes the count back to 0; place_waiting() asks again for what it needs
    return true;
}

// The guest ended interrupts that no list register held: the most urgent active ones in memory, since the innermost ends first
// (IHI 0048B §5.3.1). What is active by ISACTIVER alone does not run.
void VcpuInterrupts::end_spilled(uint32_t count) {
    for (; count != 0; --count) {
        const uint32_t id = waiting_.first_active();
        if (id == none) return;
        const uint32_t now = clear_and_set(id, irq::Active::mask | irq::Owner::mask | irq::Forced::mask, 0);
        if (irq::Hardware::test(now)) gic::clear_active(id);
        unwait(id);
        look_.add(id);
    }
}

// An SPI that the guest ended in a list register: whoever is its target next must not wait for this vCPU.
void VcpuInterrupts::release(uint32_t id) {
    if (id < 32 || find(id) >= 0) return;
    const uint32_t now = word(id);
    if (irq::Owner::get(now) == index_ + 1 && !irq::Active::test(now)) (void)clear_and_set(id, irq::Owner::mask, 0);
}

}  // namespace partita
