// The virtual GICv2 of a partition (IHI 0048B). The truth is memory: an atomic word for each SPI, and words of its own for
// each vCPU's SGIs and PPIs. The list registers are a cache of the vCPU that is loaded, touched by its CPU alone.
//
// Whoever changes an interrupt's word tells the vCPU that holds it, or that it targets, to *look* at it again; the vCPU's
// own CPU then brings its list registers in line (`VcpuInterrupts::serve`). No lock is taken anywhere.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "interrupt/look_set.hpp"
#include "interrupt/waiting_set.hpp"
#include "interrupt/word.hpp"
#include "machine/gic.hpp"
#include "partita/system_image.h"

namespace partita {

class Distributor;

// An access to the pending or active state of SPIs that another vCPU's list registers may hold (remote_access.cpp).
struct RemoteAccess {
    std::uint32_t base = 0, first = 0, bits = 0;  // the register, its first INTID, and the bits meant; the answer's bits afterwards
    bool write = false;
};

// A vCPU's side: its private interrupts, what it must look at, and its list registers.
class VcpuInterrupts {
public:
    static constexpr unsigned max_list_registers = 16;
    static constexpr std::uint32_t timer_id = 27;

    // observed: what is put into list registers is told to note_injection().
    void reset(Distributor& distributor, unsigned index, unsigned list_registers, bool observed = false);

    // Private interrupt id is the physical one of the same number on this vCPU's CPU, which has no other vCPU.
    void link_private(std::uint32_t id) { private_[id] |= irq::Hardware::mask; }
    [[nodiscard]] bool linked(std::uint32_t id) const { return irq::Hardware::test(private_[id]); }

    // --- any CPU -----------------------------------------------------------------------------------------------------
    void ask_to_look(std::uint32_t id) { look_.add(id); }
    void post_sgi(std::uint32_t id, unsigned source) {
        // Relaxed: what makes the vCPU look at it orders it.
        sgi_inbox_[source / 2].fetch_or(1u << (id + source % 2 * 16), std::memory_order_relaxed);
    }

    // Has this vCPU's CPU carry out an access of `by`, and waits for it. On `by`'s CPU.
    [[nodiscard]] std::uint32_t ask(VcpuInterrupts& by, const RemoteAccess& access);

    // --- the vCPU's CPU ----------------------------------------------------------------------------------------------
    // Carries out what other vCPUs asked for, loaded or not.
    [[nodiscard]] bool asked() const { return asked_by_.load(std::memory_order_relaxed) != 0; }
    void answer();
    // Brings the list registers in line with what was posted. Only while loaded.
    [[gnu::always_inline]] inline void serve() {
        collect_sgis();
        if (look_.any()) look_around();
    }
    // Takes what list registers, VMCR and APR hold into memory; loads them again. What park() returns is to be given to the next load()
    // on this CPU: whether the physical timer interrupt, which is one for all of its vCPUs, is enabled.
    [[nodiscard]] bool park();
    void load(bool timer_enabled);
    // Whether a parked vCPU has an interrupt to be woken for.
    [[nodiscard]] bool wants_to_run();
    // Whether a loaded vCPU has one waiting in a list register.
    [[nodiscard]] bool signalled() const;
    // The maintenance interrupt (IHI 0048B §5.2.5): ended levels, room in the list registers, ends of spilled interrupts.
    void maintain();
    // A linked private interrupt was taken: the physical one is active until the guest ends it.
    [[gnu::always_inline]] inline void take_linked_private(std::uint32_t id);
    // An SGI that this vCPU, loaded, is to take: put straight into a list register. False: it must be posted.
    [[nodiscard, gnu::always_inline]] inline bool take_sgi_directly(std::uint32_t id, unsigned source);
    // An SGI that it sent itself, whatever is in the way.
    void take_own_sgi(std::uint32_t id);
    // The same for a linked SPI that targets this vCPU.
    [[nodiscard]] bool take_spi_directly(std::uint32_t id, std::uint32_t word);
    // ... which it, loaded, took last: again.
    [[nodiscard, gnu::always_inline]] inline bool take_same_spi(std::uint32_t id);
    // The level of a private interrupt that the hypervisor emulates.
    void set_private_level(std::uint32_t id, bool high);

    [[nodiscard]] unsigned index() const { return index_; }
    [[nodiscard]] bool loaded() const { return loaded_; }

private:
    friend class Distributor;
    friend class DistributorRegisters;

    [[nodiscard]] std::uint32_t word(std::uint32_t id) const;
    [[nodiscard]] bool change(std::uint32_t id, std::uint32_t& expected, std::uint32_t desired);
    [[nodiscard]] std::uint32_t clear_and_set(std::uint32_t id, std::uint32_t clear, std::uint32_t set);
    [[nodiscard]] bool asks(std::uint32_t id, std::uint32_t word) const;
    [[nodiscard]] bool wanted(std::uint32_t id, std::uint32_t word) const;
    [[nodiscard]] bool is_mine(std::uint32_t id, std::uint32_t word) const;
    [[nodiscard]] bool elsewhere(std::uint32_t id, std::uint32_t word) const;
    [[nodiscard]] bool takes(std::uint32_t id, std::uint32_t word) const;
    [[gnu::always_inline]] inline void collect_sgis();
    void take_sgis(unsigned pair);
    [[nodiscard]] bool posted_sgi_wakes() const;
    [[gnu::noinline]] void look_around();
    [[nodiscard]] bool take_edge_directly(std::uint32_t id);
    [[nodiscard]] int direct_register(std::uint32_t id, std::uint32_t word, std::uint32_t empty) const;
    void put_spi_directly(unsigned n, std::uint32_t id, std::uint32_t value);
    void notice_forwarding();
    void consider(std::uint32_t id);
    void reconcile(unsigned n, std::uint32_t value);
    [[nodiscard]] std::uint32_t pend_active(std::uint32_t id, std::uint32_t value, std::uint32_t word);
    [[nodiscard]] bool place(std::uint32_t id);
    struct Left {
        bool pending = false, active = false;
    };
    [[nodiscard]] Left place_all();
    void write(unsigned n, std::uint32_t id);
    void fold(unsigned n);
    void release(std::uint32_t id);
    // Gives a linked interrupt that waits in memory, disabled, back to the hardware.
    void give_back(std::uint32_t id, std::uint32_t word);
    void pass_on(std::uint32_t id, std::uint32_t word);
    void place_waiting();
    void set_control(std::uint32_t value);
    bool count_ends();
    void end_spilled(std::uint32_t count);
    [[nodiscard]] std::uint32_t directly_free() const { return usable_ == 0 ? 0 : gic::empty_list_registers() & usable_; }
    void hold(unsigned n, std::uint32_t id_plus_one);
    void find_usable();
    [[gnu::always_inline]] inline void put_directly(std::uint32_t free, std::uint32_t id, std::uint32_t value);
    [[gnu::noinline]] void take_linked_later(std::uint32_t id);
    [[gnu::always_inline]] inline void put_sgi(unsigned n, std::uint32_t id, unsigned source);
    [[nodiscard, gnu::noinline]] bool take_sgi_elsewhere(std::uint32_t id, unsigned source);
    [[nodiscard]] int find(std::uint32_t id) const;
    [[nodiscard]] int victim(std::uint32_t priority) const;
    [[nodiscard]] int active_victim() const;
    void wait(std::uint32_t id, std::uint32_t word);
    void unwait(std::uint32_t id) { waiting_.remove(id); }
    [[nodiscard]] std::uint32_t all() const { return (1u << count_) - 1; }

    Distributor* distributor_ = nullptr;
    std::uint32_t index_ = 0;
    std::uint32_t count_ = 0;  // list registers
    std::uint32_t empty_ = 0;  // copy of ELRSR while serving
    bool loaded_ = false;
    bool observed_ = false;
    bool forwarded_ = false;  // whether the distributor did, when the list registers were brought in line last
    std::array<std::uint32_t, max_list_registers> held_{};   // 1 + INTID last written to each, in this load or an earlier one; 0: none
    std::array<std::uint32_t, 32> private_{};                // words of SGIs and PPIs
    std::array<std::uint8_t, 16> sgi_sources_{};             // for each SGI: the vCPUs that sent it
    std::array<std::uint8_t, 16> sgi_active_source_{};       // of a spilled active SGI
    WaitingSet waiting_;                                     // worth a list register, but in none
    std::array<std::atomic<std::uint32_t>, 4> sgi_inbox_{};  // 16 SGIs of two sources a word
    LookSet look_;
    std::atomic<std::uint32_t> asked_by_{0};  // bits of the vCPUs that wait for an answer of this one
    RemoteAccess request_;                    // what this one asks for
    std::atomic<bool> waits_{false};
    std::uint32_t vmcr_ = 0, apr_ = 0;
    std::uint32_t control_ = 0;   // GICH_HCR as written last
    std::uint32_t spi_held_ = 0;  // list registers whose entry of held_ is an SPI
    // The priority of the most urgent pending interrupt that found no list register when they were last given out, or ~0. While all are
    // in use, what is no more urgent needs no look at them: `crowded_` says that nothing else came in this look.
    std::uint32_t blocked_priority_ = 0;
    bool crowded_ = false;
    // Those into which an interrupt may be put at once, if they are empty: none while something waits, and not those in which an SPI
    // may have ended, whose word is to be released first.
    std::uint32_t usable_ = 0;
    // The SPI that was put into a list register directly last. The same happens again while its word is what it was then.
    struct LastSpi {
        std::uint32_t id = 0, word = 0, list_register = 0, value = 0;
    } last_spi_;
    std::array<std::uint8_t, 16> sgi_register_{};  // of each SGI, the list register that it was put into last
};

// For the flight recorder, where a system has one: by the CPU that does it.
void note_injection(const VcpuInterrupts& target, std::uint32_t id);
void note_sgi(const VcpuInterrupts& by, std::uint32_t value);

// Tells a vCPU that it has something to look at: where it is this CPU's, it looks before the call returns.
void notify(VcpuInterrupts& target);
// Has `holder`'s CPU answer what it was asked; where that is this CPU, before the call returns.
void request_answer(VcpuInterrupts& holder);
// While this CPU waits for another's answer: carries out what was posted of interrupts to it.
void serve_looks();
// The same from inside a look, so that looks never nest: it looks when this exit ends.
void notify_later(VcpuInterrupts& target);

class Distributor {
public:
    // interfaces[n]: the physical CPU interface mask of vCPU n's CPU.
    struct Setup {
        std::uint32_t interrupts = 0;  // a multiple of 32, at most PARTITA_MAX_INTERRUPTS
        std::uint32_t vcpus = 0;
        std::array<VcpuInterrupts*, PARTITA_MAX_VCPUS_PER_PARTITION> vcpu{};
        std::array<std::uint8_t, PARTITA_MAX_VCPUS_PER_PARTITION> interfaces{};
    };

    // Forgets everything, as at power-on. Linked interrupts are declared again afterwards.
    void reset(const Setup& setup);
    // SPI id is the physical interrupt of the same number.
    void link(std::uint32_t id, bool edge);

    // --- any CPU -----------------------------------------------------------------------------------------------------
    void set_level(std::uint32_t id, bool high);
    // It becomes pending once, level or edge: what has no line.
    void pulse(std::uint32_t id);
    // here: the vCPU that is loaded on this CPU, or nullptr.
    void take_linked(std::uint32_t id, VcpuInterrupts* here);
    // The guest's access to an aligned word: the frequent ones in a few instructions.
    [[nodiscard, gnu::always_inline]] inline std::uint32_t read_word(VcpuInterrupts& by, std::uint32_t offset) {
        return offset == gicd::TYPER ? typer_ : read(by, offset, 4);
    }
    [[gnu::always_inline]] inline void write_word(VcpuInterrupts& by, std::uint32_t offset, std::uint32_t value);
    // The guest's access. Offsets from the frame's base; size 1, 2 or 4 bytes. Unaligned or unknown: RAZ/WI.
    [[nodiscard, gnu::noinline]] std::uint32_t read(VcpuInterrupts& by, std::uint32_t offset, unsigned size);
    [[gnu::noinline]] void write(VcpuInterrupts& by, std::uint32_t offset, unsigned size, std::uint32_t value);

    [[nodiscard]] bool forwards() const { return control_.load(std::memory_order_relaxed) & 1u; }
    [[nodiscard]] std::uint32_t interrupts() const { return setup_.interrupts; }
    [[nodiscard]] std::uint32_t vcpus() const { return setup_.vcpus; }

private:
    friend class VcpuInterrupts;
    friend class DistributorRegisters;

    [[nodiscard]] std::atomic<std::uint32_t>& spi(std::uint32_t id) { return spis_[id - 32]; }
    // Whether the word targets a vCPU that exists: otherwise nobody gets the interrupt (§4.3.12).
    [[nodiscard]] bool targeted(std::uint32_t word) const { return (irq::Targets::get(word) & everyone_) != 0; }
    [[nodiscard]] unsigned target(std::uint32_t word) const;
    [[gnu::noinline]] void write_rare_word(VcpuInterrupts& by, std::uint32_t offset, std::uint32_t value);
    void enable(VcpuInterrupts& by, std::uint32_t first, std::uint32_t bits);
    [[gnu::noinline]] void send_sgi(VcpuInterrupts& by, std::uint32_t value);
    [[nodiscard]] std::uint32_t held_elsewhere(const VcpuInterrupts& by, std::uint32_t first) const;
    [[nodiscard]] std::uint32_t ask_holders(VcpuInterrupts& by, std::uint32_t base, std::uint32_t first, std::uint32_t bits, bool write);
    [[nodiscard]] unsigned holder(std::uint32_t word) const;
    void tell_holder(std::uint32_t id, std::uint32_t word);

    Setup setup_;
    std::uint32_t typer_ = 0;
    std::uint32_t everyone_ = 0;  // a bit for each vCPU
    std::atomic<std::uint32_t> control_{0};
    std::array<std::atomic<std::uint32_t>, PARTITA_MAX_INTERRUPTS - 32> spis_{};
};

// Puts it into the first of the empty ones that are free. value: what is not the same for all.
inline void VcpuInterrupts::put_directly(std::uint32_t free, std::uint32_t id, std::uint32_t value) {
    const auto n = static_cast<unsigned>(__builtin_ctz(free));
    held_[n] = id + 1;
    value |=
        list_register::VirtualId::make(id) | list_register::Priority::make(irq::Priority::get(private_[id])) | list_register::Pending::mask;
    gic::set_list_register(n, value);
}

inline void VcpuInterrupts::put_sgi(unsigned n, std::uint32_t id, unsigned source) {
    held_[n] = id + 1;
    const std::uint32_t priority = irq::Priority::get(private_[id]);
    gic::set_list_register(
        n, id | list_register::SourceCpu::make(source) | list_register::Priority::make(priority) | list_register::Pending::mask);
}

// Into the list register that it was in last, if that is empty: then it is in none. Otherwise into another, unless it is in its own.
inline bool VcpuInterrupts::take_sgi_directly(std::uint32_t id, unsigned source) {
    const std::uint32_t word = private_[id], free = gic::empty_list_registers() & usable_;
    const unsigned n = sgi_register_[id];
    const bool fits = (word & (irq::Enabled::mask | irq::Active::mask)) == irq::Enabled::mask && (free >> n & 1u) != 0;
    if (!fits || sgi_sources_[id] != 0) return take_sgi_elsewhere(id, source);
    put_sgi(n, id, source);
    return true;
}

// 16 SGIs of two sources a word.
inline void VcpuInterrupts::collect_sgis() {
    const std::uint32_t sources = distributor_->vcpus();
    for (unsigned pair = 0; pair * 2 < sources; ++pair)
        if (sgi_inbox_[pair].load(std::memory_order_relaxed) != 0) take_sgis(pair);
}

inline void VcpuInterrupts::take_linked_private(std::uint32_t id) {
    const std::uint32_t free = irq::Enabled::test(private_[id]) ? directly_free() : 0;
    if (free == 0) return take_linked_later(id);
    put_directly(free, id, list_register::Hardware::mask | list_register::PhysicalId::make(id));
}

inline bool VcpuInterrupts::take_same_spi(std::uint32_t id) {
    if (id != last_spi_.id || distributor_->spi(id).load(std::memory_order_relaxed) != last_spi_.word) return false;
    if (control_ != gich::hcr::enable || !distributor_->forwards() || held_[last_spi_.list_register] != id + 1) return false;
    if ((gic::empty_list_registers() >> last_spi_.list_register & 1u) == 0) return false;
    gic::set_list_register(last_spi_.list_register, last_spi_.value);
    return true;
}

inline void Distributor::write_word(VcpuInterrupts& by, std::uint32_t offset, std::uint32_t value) {
    if ((offset & ~0x7fu) == gicd::ISENABLER) {
        if (value != 0) enable(by, offset % 0x80 * 8, value);
        return;
    }
    if (offset == gicd::SGIR) {
        constexpr std::uint32_t filter = 3u << 24, self = 2u << 24;
        if ((value & filter) != self || !by.take_sgi_directly(value & 0xfu, by.index())) send_sgi(by, value);
        return;
    }
    write_rare_word(by, offset, value);
}

}  // namespace partita
