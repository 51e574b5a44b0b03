#include "schedule/schedule.hpp"

#include <algorithm>

#include "machine/gic.hpp"
#include "partition/lifecycle.hpp"

namespace partita {

using timer::Ticks;

namespace {

// When a timer with this control would fire; never if it is off or masked.
[[nodiscard]] Ticks due(std::uint32_t control, Ticks compare) {
    const bool armed = (control & (timer_control::enable | timer_control::masked)) == timer_control::enable;
    return armed ? compare : timer::never;
}

[[nodiscard]] unsigned lowest(std::uint32_t bits) { return static_cast<unsigned>(__builtin_ctz(bits)); }

// What was used since the last decision.
void charge(Cpu& cpu, Ticks now) {
    const Ticks used = now - cpu.since;
    cpu.since = now;
    Vcpu* const vcpu = cpu.chosen;
    if (vcpu == nullptr) return;
    vcpu->ran += used;
    if (vcpu->account == nullptr || cpu.spare) return;
    Account& account = *vcpu->account;
    account.draw(used, now);
    if (!account.spent()) return;
    cpu.spent |= account.members;
    cpu.soonest = std::min(cpu.soonest, account.renews);
}

void make_ready(Vcpu& vcpu, Ticks now) {
    Cpu& cpu = *vcpu.cpu;
    vcpu.ready_since = now;
    cpu.ready |= vcpu.bit;
    cpu.asleep &= ~vcpu.bit;
    vcpu.state = RunState::runnable;
}

// A sleeper's time has come: its timer fires, or it waits for no answer any more.
void rouse(Vcpu& vcpu, Ticks now) {
    if (vcpu.state != RunState::waiting) return make_ready(vcpu, now);
    vcpu.wake_at = timer::never;
    if (vcpu.request.fail()) post(vcpu, event::answer);
}

// Wakes those whose timer is due and renews budgets whose period is over, as far as the window is for them: what the others are
// owed can wait until it is, and must not cost this one's time. Finds out when the next is due.
void look_for_due(Cpu& cpu, Ticks now) {
    cpu.soonest = timer::never;
    const std::uint32_t loaded = cpu.loaded != nullptr && cpu.loaded->state != RunState::waiting ? cpu.loaded->bit : 0;
    for (std::uint32_t left = cpu.asleep & (cpu.inside | cpu.slack) & ~loaded; left != 0; left &= left - 1) {
        Vcpu& vcpu = *cpu.vcpus[lowest(left)];
        if (vcpu.wake_at <= now)
            rouse(vcpu, now);
        else
            cpu.soonest = std::min(cpu.soonest, vcpu.wake_at);
    }
    for (std::uint32_t left = cpu.spent & cpu.inside; left != 0;) {
        Account& account = *cpu.vcpus[lowest(left)]->account;
        if (account.renews <= now) account.reopen();
        if (account.spent())
            cpu.soonest = std::min(cpu.soonest, account.renews);
        else
            cpu.spent &= ~account.members;
        left &= ~account.members;
    }
}

void enter_window(Cpu& cpu, Ticks now) {
    advance(cpu.frames, *cpu.change, now);
    cpu.inside = cpu.frames.window->inside;
    look_for_due(cpu, now);
}

// Of those who are able to run, the one whose turn it is: most urgent, and among equals in a circle.
Vcpu& turn_among(Cpu& cpu, std::uint32_t able) {
    const std::uint32_t equals = cpu.vcpus[lowest(able)]->equals, group = equals & able;
    std::uint32_t& turn = cpu.vcpus[lowest(equals)]->turn;
    if ((turn & group) != 0) {
        Vcpu& same = *cpu.vcpus[lowest(turn)];
        if (same.ran < same.turn_until) return same;
    }
    const std::uint32_t behind = group & ~(turn | (turn - 1));
    const unsigned next = lowest(behind != 0 ? behind : group);
    turn = 1u << next;
    Vcpu& vcpu = *cpu.vcpus[next];
    vcpu.turn_until = cpu.slice != timer::never ? vcpu.ran + cpu.slice : timer::never;
    return vcpu;
}

void choose(Cpu& cpu, Vcpu* next, Ticks now) {
    const bool begins = next != cpu.chosen;
    if (begins) {
        if (cpu.chosen != nullptr) cpu.chosen->ready_since = now;
        if (next != nullptr) next->stolen += now - next->ready_since;
        cpu.chosen = next;
    }
    if (next == nullptr || next->account == nullptr || cpu.spare) return;
    next->account->open(now);
    // Otherwise one that sleeps and wakes all the time would take more from the others than its budget.
    if (begins) next->account->left -= static_cast<std::int64_t>(cpu.activation);
}

}  // namespace

Ticks wakes_at(const Vcpu& vcpu) {
    // A compare value near the end of time stays there.
    const Ticks behind = vcpu.partition->behind, virtual_due = due(vcpu.cntv_ctl, vcpu.cntv_cval);
    return std::min(virtual_due <= timer::never - behind ? virtual_due + behind : timer::never, due(vcpu.cntp_ctl, vcpu.cntp_cval));
}

void become(Vcpu& vcpu, RunState state) {
    Cpu& cpu = *vcpu.cpu;
    if (vcpu.state == RunState::paused) {
        vcpu.resumes_as = state;
        return;
    }
    const bool ready = state == RunState::runnable || state == RunState::loading,
               asleep = state == RunState::blocked || state == RunState::waiting;
    if (ready && (cpu.ready & vcpu.bit) == 0) vcpu.ready_since = timer::now();
    cpu.ready = ready ? cpu.ready | vcpu.bit : cpu.ready & ~vcpu.bit;
    cpu.asleep = asleep ? cpu.asleep | vcpu.bit : cpu.asleep & ~vcpu.bit;
    vcpu.state = state;
}

Vcpu* pick(Cpu& cpu, Ticks now) {
    charge(cpu, now);
    if (now >= cpu.frames.end) enter_window(cpu, now);
    cpu.able = cpu.ready & cpu.inside & ~cpu.spent;
    cpu.spare = cpu.able == 0;
    if (cpu.spare) cpu.able = cpu.ready & (cpu.slack | (cpu.soft & cpu.spent & cpu.inside));
    choose(cpu, cpu.able != 0 ? &turn_among(cpu, cpu.able) : nullptr, now);
    return cpu.chosen;
}

void yield(Vcpu& vcpu) {
    if ((vcpu.equals & vcpu.cpu->able & ~vcpu.bit) == 0) return;
    vcpu.turn_until = 0;
    vcpu.cpu->reschedule = true;
}

Ticks next_deadline(const Cpu& cpu) {
    Ticks deadline = std::min(cpu.soonest, cpu.frames.end);
    constexpr std::uint32_t control = timer_control::enable | timer_control::masked | timer_control::status;
    if (cpu.loaded != nullptr && (cpu.loaded->cntp_ctl & control) == timer_control::enable)
        deadline = std::min(deadline, cpu.loaded->cntp_cval);
    const Vcpu* const chosen = cpu.chosen;
    if (chosen == nullptr) return deadline;
    if ((chosen->equals & cpu.able & ~chosen->bit) != 0 && cpu.slice != timer::never)
        deadline = std::min(deadline, cpu.since + (chosen->turn_until - chosen->ran));
    if (chosen->account != nullptr && !cpu.spare) deadline = std::min(deadline, chosen->account->spent_at(cpu.since));
    return deadline;
}

void note_sleeper(Cpu& cpu, Vcpu& vcpu) {
    vcpu.wake_at = wakes_at(vcpu);
    if ((vcpu.bit & (cpu.inside | cpu.slack)) != 0) cpu.soonest = std::min(cpu.soonest, vcpu.wake_at);
}

void wait_until(Vcpu& vcpu, Ticks time) {
    Cpu& cpu = *vcpu.cpu;
    become(vcpu, RunState::waiting);
    vcpu.wake_at = time;
    if ((vcpu.bit & (cpu.inside | cpu.slack)) != 0) cpu.soonest = std::min(cpu.soonest, time);
}

void find_alarm(Cpu& cpu) {
    cpu.find_alarm = false;
    cpu.alarm = std::min(cpu.console_due, cpu.faults_due);
    for (std::uint32_t n = 0; n < cpu.count; ++n)
        if (cpu.vcpus[n]->index == 0)
            cpu.alarm = std::min({cpu.alarm, cpu.vcpus[n]->partition->clock.due(), cpu.vcpus[n]->partition->watchdog.due()});
}

void arm_timer(Cpu& cpu) {
    if (cpu.find_alarm) find_alarm(cpu);
    Ticks deadline = std::min(next_deadline(cpu), cpu.alarm);
    if (cpu.tick != 0) deadline = std::min(deadline, timer::now() + cpu.tick);
    if (deadline == cpu.armed) return;
    cpu.armed = deadline;
    timer::arm(deadline);
}

void console::pump_at(Ticks time) {
    Cpu& cpu = this_cpu();
    cpu.console_due = time;
    cpu.alarm = std::min(cpu.alarm, time);
    if (time >= cpu.armed) return;
    cpu.armed = time;
    timer::arm(time);
}

void settle_physical_timer(Vcpu& vcpu, Ticks now) {
    const bool met = (vcpu.cntp_ctl & timer_control::enable) != 0 && now >= vcpu.cntp_cval;
    vcpu.cntp_ctl = met ? vcpu.cntp_ctl | timer_control::status : vcpu.cntp_ctl & ~timer_control::status;
    vcpu.interrupts.set_private_level(intid::physical_timer, met && (vcpu.cntp_ctl & timer_control::masked) == 0);
}

void expire(Cpu& cpu, Ticks now) {
    if (now >= cpu.alarm) {
        for (std::uint32_t n = 0; n < cpu.count; ++n)
            if (cpu.vcpus[n]->index == 0) {
                Partition& partition = *cpu.vcpus[n]->partition;
                partition.clock.expire(now);
                if (partition.watchdog.expire(now)) bite(partition);
            }
        find_alarm(cpu);
    }
    if (cpu.loaded != nullptr) {
        settle_physical_timer(*cpu.loaded, now);
        if (cpu.loaded->state == RunState::blocked && cpu.loaded->interrupts.signalled()) wake(*cpu.loaded);
    }
    if (now >= cpu.soonest) look_for_due(cpu, now);
}

void wake(Vcpu& vcpu) {
    if (vcpu.state != RunState::blocked) return;
    make_ready(vcpu, timer::now());
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
