// A vCPU's list registers, kept in line with the interrupts' words. See virtual_gic.hpp for the whole.
#include "interrupt/virtual_gic.hpp"
#include "machine/gic.hpp"

namespace partita {

namespace lr = list_register;
using std::uint32_t;

namespace {
constexpr uint32_t none = ~0u;
constexpr uint32_t reset_priority = 0;
}  // namespace

void VcpuInterrupts::reset(Distributor& distributor, unsigned index, unsigned list_registers, bool observed) {
    observed_ = observed;
    distributor_ = &distributor;
    index_ = index;
    count_ = list_registers < max_list_registers ? list_registers : max_list_registers;
    loaded_ = forwarded_ = false;
    held_.fill(0);
    blocked_priority_ = none;
    spi_held_ = 0, usable_ = 0;
    last_spi_ = {};
    for (uint32_t id = 0; id < 32; ++id) {
        const bool sgi = id < 16;
        private_[id] = irq::Priority::make(reset_priority) | irq::Enabled::make(sgi) | irq::Edge::make(sgi);
    }
    private_[timer_id] |= irq::Hardware::mask;
    sgi_sources_.fill(0);
    sgi_active_source_.fill(0);
    waiting_.clear();
    for (auto& inbox : sgi_inbox_) inbox.store(0, std::memory_order_relaxed);
    look_.clear();
    vmcr_ = 0;
    apr_ = 0;
}

uint32_t VcpuInterrupts::word(uint32_t id) const { return id < 32 ? private_[id] : distributor_->spi(id).load(std::memory_order_relaxed); }

// A word says all there is to say about its interrupt, so that it needs no order with others: what makes another CPU look at it does
// (LookSet).
bool VcpuInterrupts::change(uint32_t id, uint32_t& expected, uint32_t desired) {
    if (id < 32) {
        private_[id] = desired;
        return true;
    }
    return distributor_->spi(id).compare_exchange_weak(expected, desired, std::memory_order_relaxed);
}

uint32_t VcpuInterrupts::clear_and_set(uint32_t id, uint32_t clear, uint32_t set) {
    uint32_t before = word(id);
    while (!change(id, before, (before & ~clear) | set)) {
    }
    return (before & ~clear) | set;
}

bool VcpuInterrupts::asks(uint32_t id, uint32_t word) const {
    if (id < 16) return irq::Enabled::test(word) && sgi_sources_[id] != 0;
    return irq::asks(word);
}

bool VcpuInterrupts::is_mine(uint32_t id, uint32_t word) const {
    return id < 32 || (distributor_->targeted(word) && distributor_->target(word) == index_);
}

// Worth a list register: active, so that the guest's end of it is seen, or asking (it gets one while the distributor forwards).
bool VcpuInterrupts::wanted(uint32_t id, uint32_t word) const { return irq::Active::test(word) || asks(id, word); }

void VcpuInterrupts::wait(uint32_t id, uint32_t word) {
    if (irq::Active::test(word))
        waiting_.add_active(id, irq::Priority::get(word), irq::Forced::test(word));
    else
        waiting_.add_pending(id, irq::Priority::get(word));
}

void VcpuInterrupts::take_sgis(unsigned pair) {
    for (uint32_t bits = sgi_inbox_[pair].exchange(0, std::memory_order_acquire); bits != 0; bits &= bits - 1) {
        const unsigned bit = static_cast<unsigned>(__builtin_ctz(bits)), id = bit % 16, source = pair * 2 + bit / 16;
        if (take_sgi_directly(id, source)) continue;
        sgi_sources_[id] = static_cast<std::uint8_t>(sgi_sources_[id] | 1u << source);
        look_.add(id);
    }
}

void VcpuInterrupts::take_own_sgi(uint32_t id) {
    sgi_sources_[id] = static_cast<std::uint8_t>(sgi_sources_[id] | 1u << index_);
    look_.add(id);
    look_around();
}

void VcpuInterrupts::look_around() {
    bool rest = count_ends() || waiting_.any() || forwarded_ != distributor_->forwards();
    empty_ = gic::empty_list_registers();
    crowded_ = blocked_priority_ != none && (empty_ & all()) == 0;
    notice_forwarding();
    const bool direct = !rest && control_ == gich::hcr::enable && forwarded_ && !observed_;
    look_.drain([&](uint32_t id) {
        if (direct && take_edge_directly(id)) return;
        rest = true;
        consider(id);
    });
    if (rest && !crowded_) place_waiting();
}

// Where the distributor has stopped to forward, what is pending in the list registers waits in memory; where it has begun, what waits is
// placed.
void VcpuInterrupts::notice_forwarding() {
    if (distributor_->forwards() == forwarded_) return;
    forwarded_ = !forwarded_;
    crowded_ = false;
    for (uint32_t live = ~empty_ & all(); live != 0; live &= live - 1) look_.add(held_[static_cast<unsigned>(__builtin_ctz(live))] - 1);
}

void VcpuInterrupts::consider(uint32_t id) {
    if (const int n = find(id); n >= 0) {
        crowded_ = false;
        const uint32_t value = gic::list_register(static_cast<unsigned>(n));
        if (lr::live(value)) {
            reconcile(static_cast<unsigned>(n), value);
            return;
        }
        fold(static_cast<unsigned>(n));
    }
    uint32_t now = word(id);
    if (id >= 32 && irq::Owner::get(now) == index_ + 1 && !irq::Active::test(now)) now = clear_and_set(id, irq::Owner::mask, 0);
    if (takes(id, now)) {
        wait(id, now);
        crowded_ = crowded_ && !irq::Active::test(now) && irq::Priority::get(now) >= blocked_priority_;
        return;
    }
    unwait(id);
    crowded_ = false;
    if (wanted(id, now) && !elsewhere(id, now) && !is_mine(id, now) && distributor_->targeted(now)) pass_on(id, now);
}

// Whether another vCPU's list registers may hold it, or its active state is another's.
bool VcpuInterrupts::elsewhere(uint32_t id, uint32_t word) const {
    return id >= 32 && irq::Owner::get(word) != 0 && irq::Owner::get(word) != index_ + 1;
}

// Whether it is for this vCPU's list registers.
bool VcpuInterrupts::takes(uint32_t id, uint32_t word) const {
    return wanted(id, word) && !elsewhere(id, word) && (irq::Active::test(word) || is_mine(id, word));
}

// An SPI whose target is another vCPU now.
void VcpuInterrupts::pass_on(uint32_t id, uint32_t word) {
    VcpuInterrupts& target = *distributor_->setup_.vcpu[distributor_->target(word)];
    target.ask_to_look(id);
    notify_later(target);
}

void VcpuInterrupts::hold(unsigned n, uint32_t id_plus_one) {
    held_[n] = id_plus_one;
    spi_held_ = id_plus_one > 32 ? spi_held_ | 1u << n : spi_held_ & ~(1u << n);
}

// After whatever may have changed it. One that ended and whose maintenance interrupt is still to come does not count as empty in
// ELRSR (IHI 0048B §5.3.10).
void VcpuInterrupts::find_usable() {
    usable_ = loaded_ && !observed_ && control_ == gich::hcr::enable && distributor_->forwards() ? all() & ~spi_held_ : 0;
}

bool VcpuInterrupts::take_sgi_elsewhere(uint32_t id, unsigned source) {
    const uint32_t word = private_[id], free = directly_free();
    const bool live = held_[sgi_register_[id]] == id + 1;  // the register that it was in last is not empty: it is this one's, or another's
    if ((word & (irq::Enabled::mask | irq::Active::mask)) != irq::Enabled::mask || sgi_sources_[id] != 0 || free == 0 || live) return false;
    const auto n = static_cast<unsigned>(__builtin_ctz(free));
    sgi_register_[id] = static_cast<std::uint8_t>(n);
    put_sgi(n, id, source);
    return true;
}

// An empty list register for SPI id, whose word is `word`: the one that it was in last if it is still counted as held there. -1: none.
inline int VcpuInterrupts::direct_register(uint32_t id, uint32_t word, uint32_t empty) const {
    const uint32_t owner = irq::Owner::get(word);
    uint32_t free = owner == 0 ? empty & usable_ : 0;
    if (owner == index_ + 1)
        for (free = empty & spi_held_; free != 0 && held_[static_cast<unsigned>(__builtin_ctz(free))] != id + 1;) free &= free - 1;
    return free == 0 ? -1 : __builtin_ctz(free);
}

inline void VcpuInterrupts::put_spi_directly(unsigned n, uint32_t id, uint32_t value) {
    hold(n, id + 1);
    usable_ &= ~(1u << n);
    gic::set_list_register(n, value);
}

bool VcpuInterrupts::take_spi_directly(uint32_t id, uint32_t word) {
    constexpr uint32_t must = irq::Enabled::mask | irq::Pending::mask | irq::Active::mask;
    if ((word & must) != irq::Enabled::mask || control_ != gich::hcr::enable || !distributor_->forwards() || observed_) return false;
    const int n = direct_register(id, word, gic::empty_list_registers());
    const uint32_t mine = irq::Owner::set(word, index_ + 1);
    if (uint32_t expected = word; n < 0 || (mine != word && !change(id, expected, mine))) return false;
    const uint32_t value = lr::Hardware::mask | lr::VirtualId::make(id) | lr::PhysicalId::make(id) |
                           lr::Priority::make(irq::Priority::get(word)) | lr::Pending::mask;
    last_spi_ = {.id = id, .word = mine, .list_register = static_cast<uint32_t>(n), .value = value};
    put_spi_directly(static_cast<unsigned>(n), id, value);
    return true;
}

// Mostly an edge that somebody else raised: a doorbell's, for example. Nothing else must be in the way: nothing waits, and what the
// distributor does is known; and it is in no list register that is not empty.
bool VcpuInterrupts::take_edge_directly(uint32_t id) {
    constexpr uint32_t must = irq::Enabled::mask | irq::Pending::mask | irq::Edge::mask;
    if (id < 32) return false;
    uint32_t word = distributor_->spi(id).load(std::memory_order_relaxed);
    if ((word & (must | irq::Active::mask | irq::Hardware::mask)) != must || !is_mine(id, word) || find(id) >= 0) return false;
    const int n = direct_register(id, word, empty_);
    const uint32_t taken = irq::Owner::set(word & ~irq::Pending::mask, index_ + 1);
    if (n < 0 || !change(id, word, taken)) return false;
    empty_ &= ~(1u << n);
    put_spi_directly(static_cast<unsigned>(n), id,
                     lr::VirtualId::make(id) | lr::Priority::make(irq::Priority::get(taken)) | lr::Pending::mask);
    return true;
}

void VcpuInterrupts::take_linked_later(uint32_t id) {
    private_[id] |= irq::Pending::mask;
    look_.add(id);
    serve();
}

void VcpuInterrupts::set_private_level(uint32_t id, bool high) {
    if (irq::Line::test(private_[id]) == high) return;
    private_[id] = irq::Line::set(private_[id], high ? 1 : 0);
    look_.add(id);
    if (loaded_) serve();
}

void VcpuInterrupts::maintain() {
    (void)count_ends();
    empty_ = gic::empty_list_registers();
    notice_forwarding();
    for (uint32_t ended = gic::ended_list_registers() & all(); ended != 0; ended &= ended - 1) {
        const unsigned n = static_cast<unsigned>(__builtin_ctz(ended));
        if (held_[n] != 0)
            fold(n);
        else
            gic::set_list_register(n, 0);
    }
    place_waiting();
}

bool VcpuInterrupts::signalled() const {
    const uint32_t used = ~gic::empty_list_registers() & all();
    for (uint32_t left = used; left != 0; left &= left - 1)
        if (lr::Pending::test(gic::list_register(static_cast<unsigned>(__builtin_ctz(left))))) return true;
    return false;
}

bool VcpuInterrupts::park() {
    (void)count_ends();
    empty_ = gic::empty_list_registers();
    for (uint32_t live = ~empty_ & all(); live != 0; live &= live - 1) fold(static_cast<unsigned>(__builtin_ctz(live)));
    for (uint32_t ended = spi_held_; ended != 0; ended &= ended - 1) release(held_[static_cast<unsigned>(__builtin_ctz(ended))] - 1);
    spi_held_ = 0, usable_ = 0;
    vmcr_ = gic::virtual_machine_control();
    apr_ = gic::active_priorities();
    set_control(gich::hcr::enable);  // without list registers in use it asks for nothing
    loaded_ = false;
    // The timer's PPI is one for all vCPUs of this CPU: what is active there is this vCPU's alone.
    if ((private_[timer_id] & (irq::Pending::mask | irq::Active::mask)) != 0) gic::clear_active(timer_id);
    return irq::Enabled::test(private_[timer_id]);
}

void VcpuInterrupts::load(bool timer_enabled) {
    gic::set_virtual_machine_control(vmcr_);
    gic::set_active_priorities(apr_);
    if ((private_[timer_id] & (irq::Pending::mask | irq::Active::mask)) != 0) gic::set_active(timer_id);
    if (const bool enabled = irq::Enabled::test(private_[timer_id]); enabled != timer_enabled)
        enabled ? gic::enable(timer_id) : gic::disable(timer_id);
    loaded_ = true;
    forwarded_ = distributor_->forwards();
    control_ = gich::hcr::enable;
    if (!look_.any() && !waiting_.any()) {
        blocked_priority_ = none;
        usable_ = !observed_ && distributor_->forwards() ? all() : 0;
    }
    collect_sgis();
    if (!look_.any() && !waiting_.any()) return;
    empty_ = gic::empty_list_registers();  // an SGI may be in one already
    place_waiting();
}

// An SGI that was posted is reason enough; it stays posted, so that load() puts it straight into a list register.
bool VcpuInterrupts::posted_sgi_wakes() const {
    uint32_t ids = 0;
    for (unsigned pair = 0; pair * 2 < distributor_->vcpus(); ++pair) {
        const uint32_t word = sgi_inbox_[pair].load(std::memory_order_relaxed);
        ids |= (word | word >> 16) & 0xffffu;
    }
    for (; ids != 0 && distributor_->forwards(); ids &= ids - 1) {
        const uint32_t now = private_[static_cast<unsigned>(__builtin_ctz(ids))];
        if (irq::Enabled::test(now) && !irq::Active::test(now)) return true;
    }
    return false;
}

bool VcpuInterrupts::wants_to_run() {
    if (posted_sgi_wakes()) return true;
    collect_sgis();
    look_.drain([this](uint32_t id) { consider(id); });
    while (distributor_->forwards()) {
        const uint32_t id = waiting_.first_pending();
        if (id == none) break;
        if (takes(id, word(id))) return true;
        unwait(id);
        consider(id);
    }
    return false;
}

}  // namespace partita
