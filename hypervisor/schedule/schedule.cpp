#include "schedule/schedule.hpp"

#include <algorithm>

#include "machine/gic.hpp"

namespace partita {

using timer::Ticks;

namespace {

// When a timer with this control would fire; never if it is off or masked.
[[nodiscard]] Ticks due(std::uint32_t control, Ticks compare) {
    const bool armed = (control & (timer_control::enable | timer_control::masked)) == timer_control::enable;
    return armed ? compare : timer::never;
}

[[nodiscard]] unsigned lowest(std::uint32_t bits) { return static_cast<unsigned>(__builtin_ctz(bits)); }

}  // namespace

Ticks wakes_at(const Vcpu& vcpu) { return std::min(due(vcpu.cntv_ctl, vcpu.cntv_cval), due(vcpu.cntp_ctl, vcpu.cntp_cval)); }

void become(Vcpu& vcpu, RunState state) {
    Cpu& cpu = *vcpu.cpu;
    const bool ready = state == RunState::runnable || state == RunState::loading, asleep = state == RunState::blocked;
    cpu.ready = ready ? cpu.ready | vcpu.bit : cpu.ready & ~vcpu.bit;
    cpu.asleep = asleep ? cpu.asleep | vcpu.bit : cpu.asleep & ~vcpu.bit;
    vcpu.state = state;
}

Vcpu* pick(Cpu& cpu, Ticks now) {
    if (cpu.ready == 0) return nullptr;
    const std::uint32_t equals = cpu.vcpus[lowest(cpu.ready)]->equals, group = equals & cpu.ready;
    Cpu::Turn& turn = cpu.turns[lowest(equals)];
    const bool keeps = (turn.bit & group) != 0 && (cpu.slice == 0 || now < turn.end);
    if (!keeps) {
        const std::uint32_t behind = group & ~(turn.bit | (turn.bit - 1));
        turn = {1u << lowest(behind != 0 ? behind : group), now + cpu.slice};
    }
    cpu.chosen = cpu.vcpus[lowest(turn.bit)];
    return cpu.chosen;
}

Ticks next_deadline(const Cpu& cpu) {
    Ticks deadline = timer::never;
    constexpr std::uint32_t control = timer_control::enable | timer_control::masked | timer_control::status;
    if (cpu.loaded != nullptr && (cpu.loaded->cntp_ctl & control) == timer_control::enable) deadline = cpu.loaded->cntp_cval;
    const std::uint32_t parked = cpu.asleep & ~(cpu.loaded != nullptr ? cpu.loaded->bit : 0);
    for (std::uint32_t left = parked; left != 0; left &= left - 1) deadline = std::min(deadline, cpu.vcpus[lowest(left)]->wake_at);
    if (cpu.chosen != nullptr && (cpu.chosen->equals & cpu.ready & ~cpu.chosen->bit) != 0)
        deadline = std::min(deadline, cpu.turns[lowest(cpu.chosen->equals)].end);
    return deadline;
}

void find_alarm(Cpu& cpu) {
    cpu.find_alarm = false;
    cpu.alarm = timer::never;
    for (std::uint32_t n = 0; n < cpu.count; ++n)
        if (cpu.vcpus[n]->index == 0) cpu.alarm = std::min(cpu.alarm, cpu.vcpus[n]->partition->clock.due());
}

void arm_timer(Cpu& cpu) {
    if (cpu.find_alarm) find_alarm(cpu);
    Ticks deadline = std::min(next_deadline(cpu), cpu.alarm);
    if (cpu.tick != 0) deadline = std::min(deadline, timer::now() + cpu.tick);
    if (deadline == cpu.armed) return;
    cpu.armed = deadline;
    timer::arm(deadline);
}

void settle_physical_timer(Vcpu& vcpu, Ticks now) {
    const bool met = (vcpu.cntp_ctl & timer_control::enable) != 0 && now >= vcpu.cntp_cval;
    vcpu.cntp_ctl = met ? vcpu.cntp_ctl | timer_control::status : vcpu.cntp_ctl & ~timer_control::status;
    vcpu.interrupts.set_private_level(intid::physical_timer, met && (vcpu.cntp_ctl & timer_control::masked) == 0);
}

void expire(Cpu& cpu, Ticks now) {
    if (now >= cpu.alarm) {
        for (std::uint32_t n = 0; n < cpu.count; ++n)
            if (cpu.vcpus[n]->index == 0) cpu.vcpus[n]->partition->clock.expire(now);
        find_alarm(cpu);
    }
    if (cpu.loaded != nullptr) {
        settle_physical_timer(*cpu.loaded, now);
        if (cpu.loaded->state == RunState::blocked && cpu.loaded->interrupts.signalled()) wake(*cpu.loaded);
    }
    for (std::uint32_t left = cpu.asleep; left != 0; left &= left - 1) {
        Vcpu& vcpu = *cpu.vcpus[lowest(left)];
        if (&vcpu != cpu.loaded && vcpu.wake_at <= now) wake(vcpu);
    }
}

void wake(Vcpu& vcpu) {
    if (vcpu.state != RunState::blocked) return;
    become(vcpu, RunState::runnable);
    vcpu.cpu->reschedule = true;
}

void deliver_elsewhere(Cpu& cpu, std::atomic<std::uint32_t>& word, std::uint32_t bit) {
    if (word.fetch_or(bit, std::memory_order_release) != 0) return;
    dsb_ishst();
    gic::send_sgi(intid::sgi_post, cpu.interface);
}

namespace {

// A bit for a vCPU in one of its CPU's words, and one SGI where the word was empty.
void deliver(Cpu& cpu, std::atomic<std::uint32_t>& word, std::uint32_t bit) {
    if (&cpu != &this_cpu()) return deliver_elsewhere(cpu, word, bit);
    word.fetch_or(bit, std::memory_order_relaxed);
    cpu.reschedule = true;  // what a CPU tells itself holds before its guest's next instruction
}

}  // namespace

void post(Vcpu& vcpu, std::uint32_t events) {
    Cpu& cpu = *vcpu.cpu;
    const bool told = vcpu.events.fetch_or(events, std::memory_order_acq_rel) != 0;
    // Told by another CPU: it will look and see these too.
    if (!told || &cpu == &this_cpu()) deliver(cpu, cpu.inbox, vcpu.bit);
}

void post_look(Vcpu& vcpu) { deliver(*vcpu.cpu, vcpu.cpu->looks, vcpu.bit); }

}  // namespace partita
