// The distributor's registers as the guest reads and writes them (IHI 0048B §4.3).
#include "interrupt/distributor_registers.hpp"

#include "machine/gic.hpp"

namespace partita {

using std::uint32_t;

namespace {

constexpr uint32_t implementer = 0x0200143b;  // IIDR: Arm, GIC-400 as its products report it

// ICPIDR, ICCIDR and the rest of the identification block: a GICv2 of Arm (IHI 0048B §4.3.17).
constexpr uint32_t identification(uint32_t offset) {
    switch (offset) {
        case 0xfd0: return 0x04;
        case 0xfe0: return 0x90;
        case 0xfe4: return 0xb4;
        case 0xfe8: return 0x2b;
        case 0xff0: return 0x0d;
        case 0xff4: return 0xf0;
        case 0xff8: return 0x05;
        case 0xffc: return 0xb1;
        default: return 0;
    }
}

}  // namespace

int DistributorRegisters::held(uint32_t id, uint32_t& value) {
    if (!by_.loaded_) return -1;  // all that it holds is in memory
    if (by_.count_ends()) by_.look_around();
    by_.empty_ = gic::empty_list_registers();
    const int n = by_.find(id);
    if (n < 0) return -1;
    value = gic::list_register(static_cast<unsigned>(n));
    return list_register::live(value) ? n : -1;
}

void DistributorRegisters::look_at(unsigned vcpu, uint32_t id) {
    d_.setup_.vcpu[vcpu]->ask_to_look(id);
    to_tell_ |= 1u << vcpu;
}

void DistributorRegisters::look_again(uint32_t id, uint32_t word) { look_at(id < 32 ? by_.index_ : d_.holder(word), id); }

void DistributorRegisters::tell() {
    for (uint32_t left = to_tell_; left != 0; left &= left - 1) notify(*d_.setup_.vcpu[static_cast<unsigned>(__builtin_ctz(left))]);
}

// A linked interrupt is enabled and disabled in the physical distributor too, so that its level needs no emulation.
void DistributorRegisters::enabled(uint32_t id, uint32_t before) {
    if (irq::Enabled::test(before)) return;
    if (irq::Hardware::test(before)) gic::enable(id);
    if (irq::asks(before | irq::Enabled::mask)) look_again(id, before | irq::Enabled::mask);
}

void Distributor::enable(VcpuInterrupts& by, uint32_t first, uint32_t bits) {
    DistributorRegisters registers{*this, by};
    for (; bits != 0; bits &= bits - 1) {
        const uint32_t id = first + static_cast<uint32_t>(__builtin_ctz(bits));
        if (id >= interrupts()) return;
        std::uint32_t before = 0;
        if (id < 32) {
            before = by.private_[id];
            by.private_[id] = before | irq::Enabled::mask;
        } else {
            before = spi(id).fetch_or(irq::Enabled::mask, std::memory_order_relaxed);
        }
        constexpr uint32_t more = irq::Enabled::mask | irq::Hardware::mask | irq::Pending::mask | irq::Line::mask;
        if ((before & more) != 0) registers.enabled(id, before);
    }
}

void DistributorRegisters::disable(uint32_t id) {
    if (id < 16) return;
    const uint32_t before = by_.word(id);
    if (!irq::Enabled::test(before)) return;
    const uint32_t now = by_.clear_and_set(id, irq::Enabled::mask, 0);
    if (irq::Hardware::test(now)) gic::disable(id);
    look_again(id, now);
    by_.give_back(id, by_.word(id));
}

void DistributorRegisters::set_pending(uint32_t id) {
    if (id < 16) return;  // SGIs have SPENDSGIR
    if (irq::Hardware::test(by_.word(id))) {
        if (!pending(id)) gic::set_pending(id);  // otherwise one end would not be enough
        return;
    }
    look_again(id, by_.clear_and_set(id, 0, irq::Pending::mask));
}

void DistributorRegisters::clear_pending(uint32_t id) {
    if (id < 16) return;
    uint32_t value = 0;
    const bool waits = irq::Pending::test(by_.word(id));
    const uint32_t now = by_.clear_and_set(id, irq::Pending::mask | irq::Offered::mask, 0);
    const bool linked = irq::Hardware::test(now);
    if (linked) gic::clear_pending(id);
    if (const int n = held(id, value); n >= 0) {
        const uint32_t rest = value & ~list_register::Pending::mask;
        gic::set_list_register(static_cast<unsigned>(n), rest);
        if (linked && !list_register::Active::test(value)) gic::clear_active(id);
    } else if (linked && waits && !irq::Active::test(now)) {
        gic::clear_active(id);
    }
    look_again(id, now);
}

void DistributorRegisters::set_active(uint32_t id) {
    uint32_t value = 0;
    if (const int n = held(id, value); n >= 0) {
        if (list_register::Active::test(value)) return;
        by_.fold(static_cast<unsigned>(n));
    }
    const uint32_t before = by_.word(id);
    if (irq::Active::test(before)) return;
    if (irq::Hardware::test(before)) gic::set_active(id);
    // Pending and active is not legal where linked (§5.2.4): what waited is what is active now.
    const uint32_t clear = (id < 32 ? 0 : irq::Owner::mask) | (irq::Hardware::test(before) ? irq::Pending::mask : 0);
    const uint32_t owner = id < 32 ? 0 : irq::Owner::make(by_.index_ + 1);
    look_again(id, by_.clear_and_set(id, clear, irq::Active::mask | irq::Forced::mask | owner));
}

void DistributorRegisters::clear_active(uint32_t id) {
    uint32_t value = 0;
    if (const int n = held(id, value); n >= 0 && list_register::Active::test(value)) by_.fold(static_cast<unsigned>(n));
    if (!irq::Active::test(by_.word(id))) return;
    const uint32_t now = by_.clear_and_set(id, irq::Active::mask | irq::Forced::mask | (id < 32 ? 0 : irq::Owner::mask), 0);
    if (irq::Hardware::test(now)) gic::clear_active(id);
    by_.unwait(id);  // whose it is next may be another vCPU
    look_again(id, now);
}

bool DistributorRegisters::pending(uint32_t id) {
    uint32_t value = 0;
    if (held(id, value) >= 0 && list_register::Pending::test(value)) return true;
    return id < 16 ? by_.sgi_sources_[id] != 0 : irq::asks(by_.word(id) | irq::Enabled::mask);
}

bool DistributorRegisters::active(uint32_t id) {
    uint32_t value = 0;
    if (held(id, value) >= 0) return list_register::Active::test(value);
    return irq::Active::test(by_.word(id));
}

uint32_t DistributorRegisters::carry_out(uint32_t base, uint32_t first, uint32_t bits, bool write) {
    uint32_t value = 0;
    for (; bits != 0; bits &= bits - 1) {
        const auto n = static_cast<uint32_t>(__builtin_ctz(bits));
        const uint32_t id = first + n;
        if (id >= d_.interrupts()) break;
        const bool about_pending = base < gicd::ISACTIVER;
        if (!write)
            value |= static_cast<uint32_t>(about_pending ? pending(id) : active(id)) << n;
        else if (base == gicd::ISPENDR)
            set_pending(id);
        else if (base == gicd::ICPENDR)
            clear_pending(id);
        else if (base == gicd::ISACTIVER)
            set_active(id);
        else
            clear_active(id);
    }
    return value;
}

uint32_t DistributorRegisters::access_state(uint32_t base, uint32_t first, uint32_t bits, bool write) {
    const uint32_t elsewhere = d_.held_elsewhere(by_, first) & bits;
    const uint32_t there = elsewhere != 0 ? d_.ask_holders(by_, base, first, elsewhere, write) : 0;
    return there | carry_out(base, first, bits & ~elsewhere, write);
}

uint32_t DistributorRegisters::read_configuration(uint32_t first) {
    uint32_t value = 0;
    for (uint32_t n = 0; n < 16 && first + n < d_.interrupts(); ++n)
        value |= static_cast<uint32_t>(irq::Edge::test(by_.word(first + n))) << (n * 2 + 1);
    return value;
}

// SGIs are edges for ever; the hardware fixes a linked PPI's.
void DistributorRegisters::write_configuration(uint32_t first, uint32_t value) {
    if (first < 16) return;
    for (uint32_t n = 0; n < 16 && first + n < d_.interrupts(); ++n) {
        const uint32_t id = first + n;
        if (irq::Hardware::test(by_.word(id))) continue;
        (void)by_.clear_and_set(id, irq::Edge::mask, irq::Edge::make(value >> (n * 2 + 1) & 1u));
    }
}

void DistributorRegisters::write_target(uint32_t id, uint32_t targets) {
    if (id < 32 || d_.setup_.vcpus == 1) return;
    const uint32_t before = by_.word(id);
    const uint32_t exists = targets & ((1u << d_.setup_.vcpus) - 1);
    const uint32_t now = by_.clear_and_set(id, irq::Targets::mask, irq::Targets::make(exists));
    if (irq::Hardware::test(now)) gic::route(id, d_.setup_.interfaces[d_.target(now)]);
    if (d_.target(before) == d_.target(now) && d_.targeted(before) == d_.targeted(now)) return;
    look_at(d_.target(before), id);  // where it may wait: that vCPU passes it on
    look_again(id, now);
}

void DistributorRegisters::write_control(uint32_t value) {
    const uint32_t before = d_.control_.exchange(value & 1u, std::memory_order_acq_rel);
    if ((before ^ value) % 2 == 0) return;
    for (unsigned vcpu = 0; vcpu < d_.setup_.vcpus; ++vcpu) look_at(vcpu, 0);  // notice_forwarding() finds what this means to it
}

void Distributor::send_sgi(VcpuInterrupts& by, uint32_t value) {
    if (by.observed_) note_sgi(by, value);
    const uint32_t id = value & 0xfu, filter = value >> 24 & 3u;
    const uint32_t self = 1u << by.index();
    // 3 is reserved (§4.3.15).
    uint32_t targets = filter == 0 ? value >> 16 & everyone_ : filter == 1 ? everyone_ & ~self : filter == 2 ? self : 0;
    if ((targets & self) != 0) by.take_own_sgi(id);
    for (targets &= ~self; targets != 0; targets &= targets - 1) {
        VcpuInterrupts& target = *setup_.vcpu[static_cast<unsigned>(__builtin_ctz(targets))];
        target.post_sgi(id, by.index());
        notify(target);
    }
}

uint32_t DistributorRegisters::read_word(uint32_t offset) {
    const uint32_t bit_id = offset % 0x80 * 8;
    switch (offset & ~0x7fu) {
        case 0x000:
            switch (offset) {
                case gicd::CTLR: return d_.forwards();
                case gicd::TYPER: return d_.typer_;
                case gicd::IIDR: return implementer;
                default: return 0;
            }
        case gicd::IGROUPR: return gather(bit_id, [this](uint32_t id) { return irq::Group1::test(by_.word(id)); });
        case gicd::ISENABLER:
        case gicd::ICENABLER: return gather(bit_id, [this](uint32_t id) { return irq::Enabled::test(by_.word(id)); });
        case gicd::ISPENDR:
        case gicd::ICPENDR:
        case gicd::ISACTIVER:
        case gicd::ICACTIVER: return access_state(offset & ~0x7fu, bit_id, ~0u, false);
        default: break;
    }
    if (offset >= gicd::IPRIORITYR && offset < gicd::ICFGR) {
        uint32_t value = 0;
        for (uint32_t byte = 0; byte < 4; ++byte) value |= read_byte(offset + byte) << byte * 8;
        return value;
    }
    if (offset >= gicd::ICFGR && offset < gicd::ICFGR + 0x100) return read_configuration((offset - gicd::ICFGR) * 4);
    if (offset >= gicd::CPENDSGIR && offset < gicd::SPENDSGIR + 0x10) {
        uint32_t value = 0;
        for (uint32_t byte = 0; byte < 4; ++byte) value |= read_byte(offset + byte) << byte * 8;
        return value;
    }
    return identification(offset);
}

void DistributorRegisters::write_word(uint32_t offset, uint32_t value) {
    const uint32_t bit_id = offset % 0x80 * 8;
    switch (offset & ~0x7fu) {
        case 0x000:
            if (offset == gicd::CTLR) write_control(value);
            return;
        case gicd::IGROUPR:
            for (uint32_t n = 0; n < 32 && bit_id + n < d_.interrupts(); ++n)
                (void)by_.clear_and_set(bit_id + n, irq::Group1::mask, irq::Group1::make(value >> n & 1u));
            return;
        case gicd::ISENABLER: return d_.enable(by_, bit_id, value);
        case gicd::ICENABLER: return scatter(bit_id, value, [this](uint32_t id) { disable(id); });
        case gicd::ISPENDR:
        case gicd::ICPENDR:
        case gicd::ISACTIVER:
        case gicd::ICACTIVER: (void)access_state(offset & ~0x7fu, bit_id, value, true); return;
        default: break;
    }
    if ((offset >= gicd::IPRIORITYR && offset < gicd::ICFGR) || (offset >= gicd::CPENDSGIR && offset < gicd::SPENDSGIR + 0x10)) {
        for (uint32_t byte = 0; byte < 4; ++byte) write_byte(offset + byte, value >> byte * 8 & 0xffu);
    } else if (offset >= gicd::ICFGR && offset < gicd::ICFGR + 0x100) {
        write_configuration((offset - gicd::ICFGR) * 4, value);
    } else if (offset == gicd::SGIR) {
        d_.send_sgi(by_, value);
    }
}

uint32_t DistributorRegisters::read_byte(uint32_t offset) {
    if (offset >= gicd::IPRIORITYR && offset < gicd::IPRIORITYR + d_.interrupts())
        return irq::Priority::get(by_.word(offset - gicd::IPRIORITYR)) << 3;
    if (offset >= gicd::ITARGETSR && offset < gicd::ITARGETSR + d_.interrupts()) {
        if (d_.setup_.vcpus == 1) return 0;
        const uint32_t id = offset - gicd::ITARGETSR;
        return id < 32 ? 1u << by_.index() : irq::Targets::get(by_.word(id));
    }
    if (offset >= gicd::CPENDSGIR && offset < gicd::SPENDSGIR + 0x10) {
        const uint32_t id = offset % 0x10;
        uint32_t value = 0;
        uint32_t sources = by_.sgi_sources_[id];
        if (held(id, value) >= 0 && list_register::Pending::test(value)) sources |= 1u << list_register::SourceCpu::get(value);
        return sources;
    }
    return 0;
}

void DistributorRegisters::write_byte(uint32_t offset, uint32_t value) {
    if (offset >= gicd::IPRIORITYR && offset < gicd::IPRIORITYR + d_.interrupts()) {
        const uint32_t id = offset - gicd::IPRIORITYR;
        const uint32_t now = by_.clear_and_set(id, irq::Priority::mask, irq::Priority::make(value >> 3));
        if (irq::Enabled::test(now)) look_again(id, now);
    } else if (offset >= gicd::ITARGETSR && offset < gicd::ITARGETSR + d_.interrupts()) {
        write_target(offset - gicd::ITARGETSR, value);
    } else if (offset >= gicd::SPENDSGIR && offset < gicd::SPENDSGIR + 0x10) {
        const uint32_t id = offset % 0x10;
        by_.sgi_sources_[id] = static_cast<std::uint8_t>(by_.sgi_sources_[id] | (value & ((1u << d_.setup_.vcpus) - 1)));
        look_again(id, 0);
    } else if (offset >= gicd::CPENDSGIR && offset < gicd::CPENDSGIR + 0x10) {
        const uint32_t id = offset % 0x10;
        by_.sgi_sources_[id] = static_cast<std::uint8_t>(by_.sgi_sources_[id] & ~value);
        uint32_t held_value = 0;
        const int n = held(id, held_value);
        if (n < 0 || !list_register::Pending::test(held_value) || (value >> list_register::SourceCpu::get(held_value) & 1u) == 0) return;
        gic::set_list_register(static_cast<unsigned>(n), held_value & ~list_register::Pending::mask);
        look_again(id, 0);
    }
}

uint32_t Distributor::read(VcpuInterrupts& by, uint32_t offset, unsigned size) {
    DistributorRegisters registers{*this, by};
    if (offset % size != 0) return 0;
    if (size == 4) return registers.read_word(offset);
    if (size == 1) return registers.read_byte(offset);
    return 0;
}

void Distributor::write_rare_word(VcpuInterrupts& by, uint32_t offset, uint32_t value) {
    DistributorRegisters{*this, by}.write_word(offset, value);
}

void Distributor::write(VcpuInterrupts& by, uint32_t offset, unsigned size, uint32_t value) {
    DistributorRegisters registers{*this, by};
    if (offset % size != 0) return;
    if (size == 4) registers.write_word(offset, value);
    if (size == 1) registers.write_byte(offset, value & 0xffu);
}

}  // namespace partita
