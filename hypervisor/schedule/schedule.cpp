#include "schedule/schedule.hpp"

#include <algorithm>

#include "machine/gic.hpp"

namespace partita {

using timer::Ticks;

namespace {

[[nodiscard]] bool can_run(const Vcpu& vcpu) { return vcpu.state == RunState::runnable || vcpu.state == RunState::loading; }

// When a timer with this control would fire; never if it is off or masked.
[[nodiscard]] Ticks due(std::uint32_t control, Ticks compare) {
    const bool armed = (control & (timer_control::enable | timer_control::masked)) == timer_control::enable;
    return armed ? compare : timer::never;
}

[[nodiscard]] Ticks wakes_at(const Vcpu& vcpu) { return std::min(due(vcpu.cntv_ctl, vcpu.cntv_cval), due(vcpu.cntp_ctl, vcpu.cntp_cval)); }

// The next one that can run, in order behind the one whose turn it was.
[[nodiscard]] Vcpu* after(const Cpu& cpu) {
    std::uint32_t start = 0;
    while (start + 1 < cpu.count && cpu.vcpus[start] != cpu.chosen) ++start;
    for (std::uint32_t n = 1; n <= cpu.count; ++n) {
        std::uint32_t at = start + n;
        while (at >= cpu.count) at -= cpu.count;
        if (can_run(*cpu.vcpus[at])) return cpu.vcpus[at];
    }
    return nullptr;
}

}  // namespace

Vcpu* pick(Cpu& cpu, Ticks now) {
    const bool keeps = cpu.chosen != nullptr && can_run(*cpu.chosen) && (cpu.slice == 0 || now < cpu.slice_end);
    if (keeps) return cpu.chosen;
    Vcpu* const next = after(cpu);
    if (next == nullptr) return nullptr;
    cpu.chosen = next;
    cpu.slice_end = now + cpu.slice;
    return next;
}

Ticks next_deadline(const Cpu& cpu) {
    Ticks deadline = timer::never;
    for (std::uint32_t n = 0; n < cpu.count; ++n) {
        const Vcpu& vcpu = *cpu.vcpus[n];
        if (&vcpu == cpu.loaded) {
            const bool settled = (vcpu.cntp_ctl & timer_control::status) != 0;
            if (!settled) deadline = std::min(deadline, due(vcpu.cntp_ctl, vcpu.cntp_cval));
        } else if (vcpu.state == RunState::blocked) {
            deadline = std::min(deadline, wakes_at(vcpu));
        }
        if (&vcpu != cpu.chosen && can_run(vcpu)) deadline = std::min(deadline, cpu.slice_end);
    }
    return deadline;
}

void arm_timer(const Cpu& cpu) {
    const Ticks deadline = next_deadline(cpu);
    timer::arm(cpu.tick == 0 ? deadline : std::min(deadline, timer::now() + cpu.tick));
}

void settle_physical_timer(Vcpu& vcpu, Ticks now) {
    const bool met = (vcpu.cntp_ctl & timer_control::enable) != 0 && now >= vcpu.cntp_cval;
    vcpu.cntp_ctl = met ? vcpu.cntp_ctl | timer_control::status : vcpu.cntp_ctl & ~timer_control::status;
    vcpu.interrupts.set_private_level(intid::physical_timer, met && (vcpu.cntp_ctl & timer_control::masked) == 0);
}

void expire(Cpu& cpu, Ticks now) {
    for (std::uint32_t n = 0; n < cpu.count; ++n) {
        Vcpu& vcpu = *cpu.vcpus[n];
        if (&vcpu == cpu.loaded) {
            settle_physical_timer(vcpu, now);
            if (vcpu.state == RunState::blocked && vcpu.interrupts.signalled()) wake(vcpu);
        } else if (vcpu.state == RunState::blocked && wakes_at(vcpu) <= now) {
            wake(vcpu);
        }
    }
}

void wake(Vcpu& vcpu) {
    if (vcpu.state != RunState::blocked) return;
    vcpu.state = RunState::runnable;
    vcpu.cpu->reschedule = true;
}

void post(Vcpu& vcpu, std::uint32_t events) {
    const bool told = vcpu.events.fetch_or(events, std::memory_order_acq_rel) != 0;
    Cpu& cpu = *vcpu.cpu;
    const bool here = &cpu == &this_cpu();
    // Told by another CPU: it will look and see these too. What a CPU tells itself holds before its guest's next instruction.
    if (told && !here) return;
    const std::uint32_t before = cpu.inbox.fetch_or(vcpu.bit, std::memory_order_acq_rel);
    if (here) {
        cpu.reschedule = true;
    } else if (before == 0) {
        dsb_ishst();
        gic::send_sgi(intid::sgi_post, cpu.interface);
    }
}

}  // namespace partita
