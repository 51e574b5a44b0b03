#include "trap/run.hpp"

#include "arch/registers.hpp"
#include "banked.hpp"
#include "barrier.hpp"
#include "machine/gic.hpp"
#include "partition/control.hpp"
#include "partition/counters.hpp"
#include "partition/lifecycle.hpp"
#include "partition/loader.hpp"
#include "partition/world_switch.hpp"
#include "schedule/schedule.hpp"
#include "trace/recorder.hpp"
#include "message/channel.hpp"
#include "message/serve.hpp"
#include "trap/forward.hpp"
#include "trap/guest_memory.hpp"
#include "trap/handlers.hpp"

namespace partita {

namespace {

constexpr TrapPolicy policy;
constexpr std::uint32_t vfp_traps = hcptr::TCP10 | hcptr::TCP11;
constexpr std::uint32_t fpexc_enable = 1u << 30;

// The guest's VFP registers stay where they are until another vCPU of this CPU touches them: FPEXC alone moves. It is
// enabled while the trap is set, since an access that is UNDEFINED at PL1 would not reach Hyp (DDI 0406C B1.14.3).
void leave_vfp(Cpu& cpu, Vcpu& vcpu) {
    if (cpu.vfp_owner != &vcpu) return;
    vcpu.vfp.fpexc = read_fpexc();
    write_fpexc(fpexc_enable);
}

void enter_vfp(Cpu& cpu, Vcpu& vcpu) {
    const bool owns = cpu.vfp_owner == &vcpu;
    if (!owns && !cpu.vfp_open) return;  // trapped already
    cpu.vfp_open = owns;
    HCPTR::write(owns ? policy.hcptr : policy.hcptr | vfp_traps);
    if (!owns) return;
    isb();
    write_fpexc(vcpu.vfp.fpexc);
}

void park(Cpu& cpu, Vcpu& vcpu) {
    vcpu.elr = read_elr();
    vcpu.spsr = read_spsr();
    vcpu.cntv_ctl = CNTV_CTL::read() & (timer_control::enable | timer_control::masked);
    vcpu.cntv_cval = CNTV_CVAL::read();
    CNTV_CTL::write(0);
    isb();
    cpu.timer_enabled = vcpu.interrupts.park();
    if (vcpu.state == RunState::blocked) note_sleeper(cpu, vcpu);
    save_system(&vcpu.system);
    if (cpu.has_thumbee) vcpu.system.teecr = TEECR::read(), vcpu.system.teehbr = TEEHBR::read();
    save_banked(&vcpu.banked);
    leave_vfp(cpu, vcpu);
    cpu.loaded = nullptr;
    if (drain_aborts()) {  // it must not be the next one's
        write_elr(vcpu.elr);
        write_spsr(vcpu.spsr);
        asynchronous_abort(vcpu);
    }
}

// What this CPU's TLB and instruction cache hold of the partition whose VMID is set is another vCPU's, or an earlier life's.
// TLBIALL in Hyp mode is that of the current VMID (DDI 0406C B3.10.5).
void forget_translations() {
    TLBIALL::write(0);
    ICIALLU::write(0);
    BPIALL::write(0);
    dsb();
    isb();
}

void load(Cpu& cpu, Vcpu& vcpu) {
    Partition& partition = *vcpu.partition;
    // While PL1's registers are half one guest's and half another's, a speculative walk may fill the TLB: under VMID 0, which
    // no guest ever runs with.
    VTTBR::write(partition.vttbr_without_vmid);
    isb();
    load_system(&vcpu.system);
    if (cpu.has_thumbee) TEECR::write(vcpu.system.teecr), TEEHBR::write(vcpu.system.teehbr);
    VMPIDR::write(0x8000'0000u | vcpu.index);
    isb();
    VTTBR::write(partition.vttbr);
    isb();
    if (cpu.last_of[partition.number] != &vcpu) forget_translations();
    cpu.last_of[partition.number] = &vcpu;
    load_banked(&vcpu.banked);
    enter_vfp(cpu, vcpu);
    CNTVOFF::write(partition.behind);
    CNTV_CVAL::write(vcpu.cntv_cval);  // before the control: an old compare value must not fire
    CNTV_CTL::write(vcpu.cntv_ctl);
    cpu.loaded = &vcpu;
    trace::record(cpu, PARTITA_TRACE_SWITCH, trace::name(vcpu));
    vcpu.interrupts.load(cpu.timer_enabled);
    if ((vcpu.cntp_ctl & timer_control::enable) != 0) settle_physical_timer(vcpu, timer::now());
    clear_exclusive();
    write_elr(vcpu.elr);
    write_spsr(vcpu.spsr);
}

void switch_to(Cpu& cpu, Vcpu& vcpu) {
    if (cpu.loaded == &vcpu) return;
    if (cpu.loaded != nullptr) park(cpu, *cpu.loaded);
    load(cpu, vcpu);
}

void unload(Cpu& cpu, Vcpu& vcpu) {
    if (cpu.loaded == &vcpu) park(cpu, vcpu);
    cpu.reschedule = true;
}

// Interrupts of one vCPU were changed by another CPU.
[[gnu::always_inline]] inline void look(Cpu& cpu, Vcpu& vcpu) {
    if (cpu.loaded == &vcpu) {
        vcpu.interrupts.serve();
        if (vcpu.state == RunState::blocked && vcpu.interrupts.signalled()) wake(vcpu);
    } else if (vcpu.state == RunState::blocked && vcpu.interrupts.wants_to_run()) {
        wake(vcpu);
    }
}

// It stops where it is, or goes on from there.
[[gnu::noinline]] void keep_pace(Vcpu& vcpu) {
    const Phase phase = vcpu.partition->phase.load(std::memory_order_acquire);
    if (phase == Phase::pausing && vcpu.state != RunState::paused) {
        unload(*vcpu.cpu, vcpu);
        vcpu.resumes_as = vcpu.state;
        become(vcpu, RunState::paused);
    }
    if (phase == Phase::pausing) paused(vcpu);
    if (phase != Phase::running || vcpu.state != RunState::paused) return;
    vcpu.state = RunState::off;
    become(vcpu, vcpu.resumes_as);
    if (vcpu.state == RunState::blocked) note_sleeper(*vcpu.cpu, vcpu);
    if (vcpu.state == RunState::waiting) wait_until(vcpu, vcpu.wake_at);
    look(*vcpu.cpu, vcpu);
    vcpu.cpu->reschedule = true;
}

// What it waited for was answered, or is not going to be: it goes on, with its access done, or with loading its partition.
[[gnu::noinline]] void take_answer(Cpu& cpu, Vcpu& vcpu) {
    const bool paused = vcpu.state == RunState::paused;
    if (!settled(vcpu) || (paused ? vcpu.resumes_as : vcpu.state) != RunState::waiting) return;
    const bool loads = vcpu.partition->phase.load(std::memory_order_relaxed) == Phase::loading;
    if (!loads) {
        switch_to(cpu, vcpu);
        finish_access(vcpu);
    }
    if (paused) unload(cpu, vcpu);
    become(vcpu, loads ? RunState::loading : RunState::runnable);
    cpu.reschedule = true;
}

// Carries out what was posted to one vCPU. A stop leaves nothing of the rest to do, except to begin the next life.
[[gnu::noinline]] void serve(Cpu& cpu, Vcpu& vcpu) {
    const std::uint32_t events = vcpu.events.exchange(0, std::memory_order_acq_rel);
    if ((events & event::stop) != 0) {
        if (vcpu.power.load(std::memory_order_relaxed) == Power::on && who_matters(*vcpu.partition) == vcpu.index) {
            switch_to(cpu, vcpu);  // its own translation reaches its stack
            keep_stack(vcpu);
        }
        unload(cpu, vcpu);
        retire(vcpu);
    } else if ((events & event::off) != 0) {
        unload(cpu, vcpu);
        power_down(vcpu);
    } else if ((events & event::start) != 0) {
        start(vcpu);
    }
    if ((events & event::answer) != 0) take_answer(cpu, vcpu);
    if ((events & event::pace) != 0) keep_pace(vcpu);
    if ((events & event::news) != 0) vcpu.partition->distributor.pulse(vcpu.partition->description->events_interrupt);
    if ((events & event::tell) != 0) tell_end(*vcpu.partition);
    if ((events & event::load) != 0) begin(*vcpu.partition);
    if ((events & event::alarm) != 0) {
        cpu.find_alarm = true;
        cpu.reschedule = true;  // so that the timer is armed for it
    }
}

Vcpu& vcpu_of(VcpuInterrupts& interrupts) {
    return *reinterpret_cast<Vcpu*>(reinterpret_cast<std::byte*>(&interrupts) - offsetof(Vcpu, interrupts));
}

// What a partition does in Hyp mode, in the time that is its first vCPU's: until it is done, or an interrupt is to be taken. Each step
// is short, and none begins while one waits. True: the partition runs now, and the other ends of its channels are yet to be told.
[[nodiscard, gnu::noinline]] bool load_partition(Vcpu& vcpu) {
    Partition& partition = *vcpu.partition;
    const bool tells = partition.phase.load(std::memory_order_relaxed) == Phase::telling;
    while (vcpu.state == RunState::loading && gic::highest_pending() >= intid::special) {
        if (tells ? !tell_step(partition) : !load_step(partition)) continue;
        if (!tells) {
            enter(partition);
            return true;
        }
        become(vcpu, RunState::off);
        conclude(partition);
        break;
    }
    return false;
}

}  // namespace

namespace {

[[gnu::always_inline]] inline void serve_looks_of(Cpu& cpu) {
    if (cpu.looks.load(std::memory_order_relaxed) == 0) return;
    for (std::uint32_t bits = cpu.looks.exchange(0, std::memory_order_acquire); bits != 0; bits &= bits - 1) {
        Vcpu& vcpu = *cpu.vcpus[static_cast<unsigned>(__builtin_ctz(bits))];
        if (vcpu.interrupts.asked()) vcpu.interrupts.answer();
        look(cpu, vcpu);
    }
}

}  // namespace

void serve_looks() { serve_looks_of(this_cpu()); }

void serve_inbox(Cpu& cpu) {
    serve_looks_of(cpu);
    if (cpu.inbox.load(std::memory_order_relaxed) == 0) return;
    for (std::uint32_t bits = cpu.inbox.exchange(0, std::memory_order_acq_rel); bits != 0; bits &= bits - 1)
        serve(cpu, *cpu.vcpus[static_cast<unsigned>(__builtin_ctz(bits))]);
}

void give_vfp(Vcpu& vcpu) {
    Cpu& cpu = *vcpu.cpu;
    HCPTR::write(policy.hcptr);
    isb();
    write_fpexc(fpexc_enable);
    if (cpu.vfp_owner != nullptr) save_vfp(&cpu.vfp_owner->vfp);
    load_vfp(&vcpu.vfp);
    write_fpexc(vcpu.vfp.fpexc);
    cpu.vfp_owner = &vcpu;
    cpu.vfp_open = true;
}

namespace {

[[gnu::noinline]] void tell_window(Cpu& cpu) {
    const FramePosition& at = cpu.frames;
    trace::record(cpu, PARTITA_TRACE_WINDOW, static_cast<std::uint32_t>(at.late),
                  PARTITA_TRACE_IN_FRAME(at.schedule, static_cast<std::uint32_t>(at.window - at.first[at.schedule])));
}

}  // namespace

Vcpu* run_next(Cpu& cpu) {
    for (;;) {
        cpu.reschedule = false;
        if (posted(cpu)) serve_inbox(cpu);
        // What that posted in turn (a life that ended, and the next) is another step: what waits is taken before.
        while (posted(cpu)) {
            if (gic::highest_pending() < intid::special) take_interrupt(cpu);
            serve_inbox(cpu);
        }
        const std::uint32_t entered = cpu.frames.entered;
        Vcpu* const next = pick(cpu, timer::now());
        if (cpu.frames.entered != entered) tell_window(cpu);
        if (next != nullptr && next->state == RunState::runnable) {
            switch_to(cpu, *next);
            if (cpu.reschedule) continue;
            arm_timer(cpu);
            return next;
        }
        arm_timer(cpu);
        bool begun = false;
        if (next != nullptr) {
            begun = load_partition(*next);
        } else {
            trace::record(cpu, PARTITA_TRACE_IDLE);
            wait_for_interrupt();
            trace::record(cpu, PARTITA_TRACE_WAKE);
        }
        take_interrupt(cpu);
        if (!begun) continue;
        // As many ends as a partition can have are told behind a look of their own: by now it may have ended again, which they see.
        if (gic::highest_pending() < intid::special) take_interrupt(cpu);
        enter_channels(*next->partition);
    }
}

namespace {

// Whether two of its vCPUs take turns: then one that waits for an event (a lock, mostly) gives its turn to the other.
[[nodiscard]] bool shares_turns(const Cpu& cpu) {
    for (std::uint32_t n = 0; n < cpu.count; ++n)
        if ((cpu.vcpus[n]->equals & (cpu.vcpus[n]->equals - 1)) != 0) return true;
    return false;
}

}  // namespace

void prepare_traps(Cpu& cpu) {
    HCR::write(shares_turns(cpu) ? policy.hcr | hcr::TWE : policy.hcr);
    HSTR::write(policy.hstr);
    HCPTR::write(policy.hcptr);
    isb();
    write_fpexc(fpexc_enable);
    HCPTR::write(policy.hcptr | vfp_traps);
    const bool counters = cpu.count == 1 && has_counters(*cpu.vcpus[0]->partition);
    HDCR::write((counters ? policy.hdcr & ~hdcr::counters : policy.hdcr) | hdcr::CountersForHyp::get(cpu.hdcr_reset));
    CNTHCTL::write(policy.cnthctl);
    CNTVOFF::write(0);
    CNTV_CTL::write(0);
    VPIDR::write(MIDR::read());
    isb();
}

void notify(VcpuInterrupts& target) {
    Vcpu& vcpu = vcpu_of(target);
    Cpu& cpu = *vcpu.cpu;
    if (&cpu != &this_cpu())
        deliver_elsewhere(cpu, cpu.looks, vcpu.bit);
    else
        look(cpu, vcpu);
}

void request_answer(VcpuInterrupts& holder) {
    if (vcpu_of(holder).cpu == &this_cpu())
        holder.answer();
    else
        post_look(vcpu_of(holder));
}

void notify_later(VcpuInterrupts& target) { post_look(vcpu_of(target)); }

void note_injection(const VcpuInterrupts& target, std::uint32_t id) { trace::record(this_cpu(), PARTITA_TRACE_INJECT, id, target.index()); }

void note_sgi(const VcpuInterrupts& by, std::uint32_t value) { trace::record(this_cpu(), PARTITA_TRACE_SGI, value, by.index()); }

}  // namespace partita
