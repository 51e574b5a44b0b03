#include "partition/lifecycle.hpp"

#include "barrier.hpp"
#include "machine/console.hpp"
#include "machine/firmware.hpp"
#include "machine/gic.hpp"
#include "machine/log.hpp"
#include "partita/hypercall.h"
#include "message/serve.hpp"
#include "partition/counters.hpp"
#include "partition/fault.hpp"
#include "partition/system.hpp"
#include "schedule/schedule.hpp"

namespace partita {

namespace {

[[nodiscard]] const char* name_of(partita_reset_reason reason) {
    switch (reason) {
        case PARTITA_RESET_POWER_ON: return "power-on";
        case PARTITA_RESET_GUEST: return "guest";
        case PARTITA_RESET_EXIT: return "exit";
        case PARTITA_RESET_FAULT: return "fault";
        case PARTITA_RESET_WATCHDOG: return "watchdog";
        case PARTITA_RESET_MANAGER: return "manager";
    }
    return "";
}

// The board goes off when all CPUs stand still: what they did last then is what a trace ends with, in each run.
[[noreturn]] void power_off_board() {
    System& all = system();
    for (std::uint32_t n = 0; n < all.cpu_count; ++n)
        if (n != this_cpu().index) gic::send_sgi(intid::sgi_stop, all.cpus[n].interface);
    constexpr unsigned most = 100'000;  // one that does not answer is not waited for
    for (unsigned n = 0; n < most && all.standing.load(std::memory_order_acquire) + 1 < all.cpu_count; ++n) wait_for_other();
    console::flush();
    firmware::system_off();
}

// Whether it may begin another life: not more often than its description allows.
[[nodiscard]] bool may_restart(Partition& partition) {
    if (system().halted.load(std::memory_order_acquire)) return false;
    if (partition.reason.load(std::memory_order_relaxed) == PARTITA_RESET_MANAGER) return true;
    const partita_partition& description = *partition.description;
    if (description.restart_limit == 0) return true;
    const timer::Ticks now = timer::now(), period = timer::Ticks{description.restart_period_ms} * CNTFRQ::read() / 1000;
    if (partition.restarts == 0 || now - partition.restarts_since >= period) partition.restarts = 0, partition.restarts_since = now;
    if (++partition.restarts <= description.restart_limit) return true;
    LogLine("restart-limit")
        .key("partition", partition.number)
        .key("restarts", description.restart_limit)
        .key("ms", description.restart_period_ms);
    return false;
}

// Every vCPU has stopped: nothing of the partition runs anywhere, and this CPU owns what is left of it.
void finish(Partition& partition) {
    for (const auto& route : partition.routes) {
        gic::disable(route.intid);
        gic::clear_active(route.intid);
        gic::clear_pending(route.intid);
    }
    stop_masters(partition);
    leave_channels(partition);
    leave_service(partition);
    partition.stopped_at = timer::now();
    partition.watchdog.stop();
    if (!to_be_told(partition)) return conclude(partition);
    partition.phase.store(Phase::telling, std::memory_order_release);
    post(partition.vcpus[0].vcpu, event::tell);
}

// The distributor, the console and all vCPUs as at power-on.
void reset_devices(Partition& partition) {
    Distributor::Setup setup;
    setup.interrupts = partition.description->interrupts;
    setup.vcpus = static_cast<std::uint32_t>(partition.vcpus.size());
    for (std::uint32_t n = 0; n < setup.vcpus; ++n) {
        Vcpu& vcpu = partition.vcpus[n].vcpu;
        vcpu.power.store(Power::off, std::memory_order_relaxed);
        setup.vcpu[n] = &vcpu.interrupts;
        setup.interfaces[n] = static_cast<std::uint8_t>(vcpu.cpu->interface);
        vcpu.interrupts.reset(partition.distributor, n, system().list_registers, vcpu.cpu->trace != nullptr);
    }
    partition.distributor.reset(setup);
    for (const auto& route : partition.routes) partition.distributor.link(route.intid, (route.flags & PARTITA_ROUTE_EDGE) != 0);
    partition.clock.reset(partition.distributor, partition.description->clock_interrupt, system().image->epoch, CNTFRQ::read());
    partition.vcpus[0].vcpu.cpu->find_alarm = true;
    partition.watchdog.reset(partition.distributor, partition.description->watchdog_interrupt, partition.description->watchdog_ms,
                             partition.is(PARTITA_WATCHDOG_BOOT), CNTFRQ::read());
    partition.gpio.reset(partition.distributor, partition.description->gpio_interrupt);
    partition.console.reset(partition.distributor, partition.description->console_interrupt, partition.channel());
    if (&partition == system().parent)
        system().control.reset(partition.distributor, partition.description->control_interrupt, PARTITA_CONSOLE_CONTROL);
}

}  // namespace

void tell_state(Partition& partition, const char* state, bool limited) {
    if (limited && !may_report(partition)) return;
    LogLine("state")
        .key("partition", partition.number)
        .word("name", partition.guest.name)
        .word("is", state)
        .word("reason", name_of(partition.reason.load(std::memory_order_relaxed)))
        .key("starts", partition.starts);
}

void conclude(Partition& partition) {
    const bool again = partition.ending.load(std::memory_order_relaxed) == Ending::restart && may_restart(partition);
    partition.phase.store(again ? Phase::loading : Phase::off, std::memory_order_release);
    // A partition that resets itself without end, or is turned off and on, reports no more than one that faults without end.
    const bool by_manager = partition.reason.load(std::memory_order_relaxed) == PARTITA_RESET_MANAGER;
    tell_state(partition, again ? "restarting" : "off", again ? partition.starts > 1 : by_manager);
    if (again) {
        post(partition.vcpus[0].vcpu, event::load);
        return;
    }
    const bool last = system().alive.fetch_sub(1, std::memory_order_acq_rel) == 1;
    if (!last) return;
    LogLine("done").text("");
    if ((system().image->flags & PARTITA_IMAGE_OFF_WHEN_DONE) == 0) return;
    power_off_board();
}

void tell_end(Partition& partition) {
    Vcpu& first = partition.vcpus[0].vcpu;
    partition.cursor = {};
    become(first, RunState::loading);
    first.cpu->reschedule = true;
}

bool end(Partition& partition, Ending ending, partita_reset_reason reason) {
    Phase seen = partition.phase.load(std::memory_order_relaxed);
    do {
        if (!lives(seen)) return false;
    } while (!partition.phase.compare_exchange_weak(seen, Phase::stopping, std::memory_order_acq_rel));
    partition.reason.store(reason, std::memory_order_relaxed);
    partition.ending.store(ending, std::memory_order_relaxed);
    partition.stops.store(static_cast<std::uint32_t>(partition.vcpus.size()), std::memory_order_release);
    for (VcpuSlot& slot : partition.vcpus) post(slot.vcpu, event::stop);
    return true;
}

void halt_system() {
    system().halted.store(true, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // see enter()
    for (std::uint32_t n = 0; n < system().partition_count; ++n) (void)end(system().partitions[n], Ending::off, PARTITA_RESET_FAULT);
}

void end_by_fault(Partition& partition) {
    if (partition.is(PARTITA_ON_FAULT_HALT)) return halt_system();
    (void)end(partition, partition.is(PARTITA_ON_FAULT_RESTART) ? Ending::restart : Ending::off, PARTITA_RESET_FAULT);
}

void bite(Partition& partition) {
    if (!lives(partition.phase.load(std::memory_order_relaxed))) return;
    if (may_report(partition)) LogLine("watchdog").key("partition", partition.number).key("ms", partition.description->watchdog_ms);
    (void)end(partition, Ending::restart, PARTITA_RESET_WATCHDOG);
}

void retire(Vcpu& vcpu) {
    if (vcpu.state == RunState::paused) vcpu.state = RunState::off;
    become(vcpu, RunState::off);
    vcpu.request.withdraw();
    if (vcpu.power.load(std::memory_order_relaxed) == Power::on)
        vcpu.partition->last_words.were_on.fetch_or(1u << vcpu.index, std::memory_order_relaxed);
    vcpu.power.store(Power::off, std::memory_order_release);
    if (vcpu.partition->stops.fetch_sub(1, std::memory_order_acq_rel) == 1) finish(*vcpu.partition);
}

void power_down(Vcpu& vcpu) {
    become(vcpu, RunState::off);
    vcpu.power.store(Power::off, std::memory_order_release);
    if (vcpu.partition->live.fetch_sub(1, std::memory_order_acq_rel) == 1) (void)end(*vcpu.partition, Ending::off, PARTITA_RESET_EXIT);
}

void start(Vcpu& vcpu) {
    const Partition& partition = *vcpu.partition;
    if (!lives(partition.phase.load(std::memory_order_acquire)) || vcpu.start_life != partition.starts) {
        vcpu.power.store(Power::off, std::memory_order_release);
        return;
    }
    power_up(vcpu, vcpu.start_entry, vcpu.start_context, 0, 0);
}

void begin_at_boot(Partition& partition) {
    if (partition.is(PARTITA_OFF_AT_BOOT)) return;
    partition.phase.store(Phase::loading, std::memory_order_release);
    post(partition.vcpus[0].vcpu, event::load);
}

void begin(Partition& partition) {
    partition.phase.store(Phase::loading, std::memory_order_relaxed);
    partition.cursor = {};
    partition.last_words.culprit.store(0, std::memory_order_relaxed);
    partition.last_words.were_on.store(0, std::memory_order_relaxed);
    ++partition.starts;
    reset_devices(partition);
    empty_queues(partition);
    forget_drivers(partition);
    Vcpu& first = partition.vcpus[0].vcpu;
    become(first, RunState::loading);
    first.cpu->reschedule = true;
}

void enter(Partition& partition) {
    const partita_guest& guest = partition.guest;
    Vcpu& first = partition.vcpus[0].vcpu;
    start_masters(partition);
    if (partition.is(PARTITA_TIME_STOPS)) partition.behind += timer::now() - partition.stopped_at;
    power_up(first, guest.entry, guest.r0, guest.r1, guest.r2);
    partition.live.store(1, std::memory_order_relaxed);
    partition.watchdog.start();
    first.cpu->find_alarm = true;
    partition.phase.store(Phase::running, std::memory_order_release);
    enter_service(partition);
    tell_state(partition, "running", partition.starts > 1);
    // Loaded while all partitions were ended: either this sees it, or halt_system() saw a partition that runs.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (system().halted.load(std::memory_order_acquire)) (void)end(partition, Ending::off, PARTITA_RESET_FAULT);
}

void power_up(Vcpu& vcpu, std::uint32_t entry, std::uint32_t r0, std::uint32_t r1, std::uint32_t r2) {
    Cpu& cpu = *vcpu.cpu;
    if (cpu.vfp_owner == &vcpu) cpu.vfp_owner = nullptr;
    cpu.last_of[vcpu.partition->number] = nullptr;  // what the CPU cached of an earlier life is invalidated when it is loaded
    vcpu.interrupts.reset(vcpu.partition->distributor, vcpu.index, system().list_registers, cpu.trace != nullptr);
    link_counters(vcpu);
    reset_counters(vcpu);
    vcpu.reset(entry, r0, r1, r2);
    become(vcpu, RunState::runnable);
    vcpu.power.store(Power::on, std::memory_order_release);
    cpu.reschedule = true;
}

std::int32_t power_on(Partition& partition, std::uint32_t index, std::uint32_t entry, std::uint32_t context) {
    if (index >= partition.vcpus.size()) return PSCI_INVALID_PARAMETERS;
    bool in_memory = false;
    for (const auto& region : partition.regions)
        in_memory = in_memory ||
                    ((region.flags & PARTITA_REGION_EXECUTE) != 0 && IpaRange{Ipa{region.ipa}, region.size}.contains(Ipa{entry & ~1u}));
    if (!in_memory || (entry & 3u) == 2) return PSCI_INVALID_ADDRESS;
    Vcpu& vcpu = partition.vcpus[index].vcpu;
    Power seen = Power::off;
    if (!vcpu.power.compare_exchange_strong(seen, Power::on_pending, std::memory_order_acq_rel))
        return seen == Power::on ? PSCI_ALREADY_ON : PSCI_ON_PENDING;
    vcpu.start_entry = entry;
    vcpu.start_context = context;
    vcpu.start_life = partition.starts;
    partition.live.fetch_add(1, std::memory_order_acq_rel);
    post(vcpu, event::start);
    return PSCI_SUCCESS;
}

}  // namespace partita
