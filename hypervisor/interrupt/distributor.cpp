// The distributor's interrupts, whoever changes them. Its registers are in distributor_registers.cpp.
#include "interrupt/virtual_gic.hpp"
#include "machine/gic.hpp"

namespace partita {

using std::uint32_t;

void Distributor::reset(const Setup& setup) {
    setup_ = setup;
    typer_ = (setup.interrupts / 32 - 1) | (setup.vcpus - 1) << 5;
    everyone_ = (1u << setup.vcpus) - 1;
    control_.store(0, std::memory_order_relaxed);
    for (auto& word : spis_) word.store(irq::Targets::make(1), std::memory_order_relaxed);
}

void Distributor::link(uint32_t id, bool edge) {
    spi(id).store(irq::Hardware::mask | irq::Edge::make(edge) | irq::Targets::make(1), std::memory_order_relaxed);
    gic::disable(id);
    gic::clear_active(id);
    gic::clear_pending(id);
    gic::route(id, setup_.interfaces[0]);
}

// The lowest vCPU that the word targets: of those that the 1-N model allows. The first where there is none, who then keeps it.
unsigned Distributor::target(uint32_t word) const {
    const uint32_t targets = irq::Targets::get(word) & everyone_;
    return targets == 0 ? 0 : static_cast<unsigned>(__builtin_ctz(targets));
}

// Whoever may hold it in a list register looks first, and passes it on.
unsigned Distributor::holder(uint32_t word) const {
    const uint32_t owner = irq::Owner::get(word);
    return owner != 0 ? owner - 1 : target(word);
}

void Distributor::tell_holder(uint32_t id, uint32_t word) {
    VcpuInterrupts& holder_of_it = *setup_.vcpu[holder(word)];
    holder_of_it.ask_to_look(id);
    notify(holder_of_it);
}

void Distributor::set_level(uint32_t id, bool high) {
    const uint32_t bit = irq::Line::mask;
    const uint32_t before = high ? spi(id).fetch_or(bit, std::memory_order_relaxed) : spi(id).fetch_and(~bit, std::memory_order_relaxed);
    if (irq::Line::test(before) == high) return;
    if (high && irq::Edge::test(before)) spi(id).fetch_or(irq::Pending::mask, std::memory_order_relaxed);
    if (irq::Enabled::test(before)) tell_holder(id, before);
}

void Distributor::pulse(uint32_t id) {
    const uint32_t before = spi(id).fetch_or(irq::Pending::mask, std::memory_order_release);
    if (irq::Enabled::test(before)) tell_holder(id, before);
}

void Distributor::take_linked(uint32_t id, VcpuInterrupts* here) {
    const uint32_t now = spi(id).load(std::memory_order_relaxed);
    const uint32_t targets = irq::Targets::get(now) & everyone_;
    if (targets != 0 && setup_.vcpu[static_cast<unsigned>(__builtin_ctz(targets))] == here && here->take_spi_directly(id, now)) return;
    const uint32_t before = spi(id).fetch_or(irq::Pending::mask, std::memory_order_relaxed);
    tell_holder(id, before);
}

}  // namespace partita
