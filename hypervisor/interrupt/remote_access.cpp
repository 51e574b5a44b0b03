// What another vCPU's list registers may hold of an SPI, only its CPU can read and change. An access to the pending or active state of
// such an SPI is carried out there: the CPU of the vCPU that makes it asks, and waits for the answer (docs/architecture.md, "The virtual
// GIC"). It serves what is asked of it meanwhile, so that two that ask each other both get their answers; it waits for no longer than
// the other CPU's longest stay in Hyp mode.
#include "barrier.hpp"
#include "interrupt/distributor_registers.hpp"

namespace partita {

using std::uint32_t;

namespace {

// What one vCPU is to be asked for: the bits of ids that it owns.
struct Share {
    uint32_t owner = 0;  // 1 + vCPU; 0: nothing is left
    uint32_t bits = 0;
};

}  // namespace

uint32_t Distributor::held_elsewhere(const VcpuInterrupts& by, uint32_t first) const {
    uint32_t bits = 0;
    for (uint32_t n = 0; first >= 32 && n < 32 && first + n < interrupts(); ++n)
        if (by.elsewhere(first + n, by.word(first + n))) bits |= 1u << n;
    return bits;
}

uint32_t Distributor::ask_holders(VcpuInterrupts& by, uint32_t base, uint32_t first, uint32_t bits, bool write) {
    uint32_t result = 0;
    while (bits != 0) {
        Share share;
        for (uint32_t left = bits; left != 0; left &= left - 1) {
            const uint32_t n = static_cast<uint32_t>(__builtin_ctz(left)), owner = irq::Owner::get(by.word(first + n));
            if (share.owner == 0 && owner != 0) share.owner = owner;
            if (owner == share.owner) share.bits |= 1u << n;
        }
        // Released meanwhile: what is in memory is all there is.
        VcpuInterrupts& holder = share.owner == 0 ? by : *setup_.vcpu[share.owner - 1];
        result |= &holder == &by ? DistributorRegisters{*this, by}.carry_out(base, first, share.bits, write)
                                 : holder.ask(by, {base, first, share.bits, write});
        bits &= ~share.bits;
    }
    return result;
}

uint32_t VcpuInterrupts::ask(VcpuInterrupts& by, const RemoteAccess& access) {
    by.request_ = access;
    by.waits_.store(true, std::memory_order_relaxed);
    asked_by_.fetch_or(1u << by.index_, std::memory_order_release);
    request_answer(*this);
    while (by.waits_.load(std::memory_order_acquire)) {
        serve_looks();
        wait_for_other();
    }
    return by.request_.bits;
}

void VcpuInterrupts::answer() {
    for (uint32_t who = asked_by_.exchange(0, std::memory_order_acquire); who != 0; who &= who - 1) {
        VcpuInterrupts& by = *distributor_->setup_.vcpu[static_cast<unsigned>(__builtin_ctz(who))];
        RemoteAccess& access = by.request_;
        access.bits = DistributorRegisters{*distributor_, *this}.carry_out(access.base, access.first, access.bits, access.write);
        by.waits_.store(false, std::memory_order_release);
    }
}

}  // namespace partita
