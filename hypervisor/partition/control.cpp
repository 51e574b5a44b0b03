#include "partition/control.hpp"

#include <cstring>

#include "partition/lifecycle.hpp"
#include "partition/system.hpp"
#include "schedule/schedule.hpp"

namespace partita {

using std::int32_t;
using std::uint32_t;

namespace {

// What is asked of a partition that is in no state for it: one whose last change is under way may be soon.
[[nodiscard]] int32_t refusal(Phase phase) {
    return phase == Phase::off || phase == Phase::running || phase == Phase::paused ? PARTITA_WRONG_STATE : PARTITA_BUSY;
}

void post_all(Partition& partition, uint32_t events) {
    for (VcpuSlot& slot : partition.vcpus) post(slot.vcpu, events);
}

[[nodiscard]] int32_t turn_on(Partition& partition) {
    if (system().halted.load(std::memory_order_acquire)) return PSCI_DENIED;
    auto seen = Phase::off;
    if (!partition.phase.compare_exchange_strong(seen, Phase::changing, std::memory_order_acq_rel)) return refusal(seen);
    const bool empty = partition.is_empty();
    partition.phase.store(empty ? Phase::off : Phase::loading, std::memory_order_release);
    if (empty) return PARTITA_WRONG_STATE;
    system().alive.fetch_add(1, std::memory_order_acq_rel);
    partition.restarts = 0;
    partition.reason.store(PARTITA_RESET_MANAGER, std::memory_order_relaxed);
    post(partition.vcpus[0].vcpu, event::load);
    return PSCI_SUCCESS;
}

[[nodiscard]] int32_t finish_life(Partition& partition, Ending ending) {
    const Phase seen = partition.phase.load(std::memory_order_relaxed);
    return end(partition, ending, PARTITA_RESET_MANAGER) ? PSCI_SUCCESS : refusal(seen);
}

[[nodiscard]] int32_t pause(Partition& partition) {
    // First a phase in which nobody else begins a change, or reads what is set here.
    auto seen = Phase::running;
    if (!partition.phase.compare_exchange_strong(seen, Phase::resuming, std::memory_order_acq_rel)) return refusal(seen);
    partition.pauses.fetch_add(1, std::memory_order_relaxed);
    partition.to_pause.store(static_cast<uint32_t>(partition.vcpus.size()), std::memory_order_relaxed);
    seen = Phase::resuming;
    if (!partition.phase.compare_exchange_strong(seen, Phase::pausing, std::memory_order_acq_rel)) return refusal(seen);
    post_all(partition, event::pace);
    return PSCI_SUCCESS;
}

[[nodiscard]] int32_t resume(Partition& partition) {
    auto seen = Phase::paused;
    if (!partition.phase.compare_exchange_strong(seen, Phase::resuming, std::memory_order_acq_rel)) return refusal(seen);
    const timer::Ticks now = timer::now();
    if (partition.is(PARTITA_TIME_STOPS)) partition.behind += now - partition.paused_at;
    partition.watchdog.thaw(now);
    seen = Phase::resuming;
    if (!partition.phase.compare_exchange_strong(seen, Phase::running, std::memory_order_acq_rel)) return refusal(seen);
    tell_state(partition, "resumed", true);
    post_all(partition, event::pace | event::alarm);
    return PSCI_SUCCESS;
}

// Runs `change` while the partition is off, and nobody starts it.
template <typename Change>
[[nodiscard]] int32_t while_off(Partition& partition, Change&& change) {
    auto seen = Phase::off;
    if (!partition.phase.compare_exchange_strong(seen, Phase::changing, std::memory_order_acq_rel)) return refusal(seen);
    change();
    partition.phase.store(Phase::off, std::memory_order_release);
    return PSCI_SUCCESS;
}

}  // namespace

void describe_guest(Partition& partition) {
    const partita_partition& description = *partition.description;
    partita_guest& guest = partition.guest;
    guest.magic = 0;
    guest.flags = description.flags;
    guest.entry = description.entry, guest.r0 = description.r0, guest.r1 = description.r1, guest.r2 = description.r2;
    std::memcpy(guest.name, description.name, sizeof guest.name);
    if (!partition.is(PARTITA_POOL)) return;
    partition.copies = {}, partition.patches = {};
    partition.starts.store(0, std::memory_order_relaxed);
}

int32_t give_guest(Partition& partition, const partita_guest& given) {
    return while_off(partition, [&] {
        partita_guest& guest = partition.guest;
        guest = given;
        guest.flags |= partition.description->flags & ~PARTITA_GUEST_FLAGS;
        partition.copies = std::span{guest.copy}.first(guest.copies);
        partition.patches = std::span{guest.patch}.first(guest.patches);
        tell_state(partition, "loaded", true);
    });
}

int32_t take_guest(Partition& partition) {
    if (!partition.is(PARTITA_POOL)) return PSCI_DENIED;
    return while_off(partition, [&] {
        tell_state(partition, "emptied", true);
        describe_guest(partition);
    });
}

void paused(Vcpu& vcpu) {
    Partition& partition = *vcpu.partition;
    const uint32_t number = partition.pauses.load(std::memory_order_relaxed);
    if (vcpu.pause_seen == number) return;  // told twice
    vcpu.pause_seen = number;
    if (partition.to_pause.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    partition.paused_at = timer::now();
    partition.watchdog.freeze(partition.paused_at);
    auto seen = Phase::pausing;
    if (partition.phase.compare_exchange_strong(seen, Phase::paused, std::memory_order_acq_rel)) tell_state(partition, "paused", true);
}

int32_t control(Partition& partition, const Partition& by, uint32_t action) {
    const bool itself = &partition == &by;
    switch (action) {
        case PARTITA_CONTROL_START: return turn_on(partition);
        case PARTITA_CONTROL_STOP: return itself ? PSCI_DENIED : finish_life(partition, Ending::off);
        case PARTITA_CONTROL_PAUSE: return itself ? PSCI_DENIED : pause(partition);
        case PARTITA_CONTROL_RESUME: return resume(partition);
        case PARTITA_CONTROL_RESTART: return finish_life(partition, Ending::restart);
        default: return PSCI_INVALID_PARAMETERS;
    }
}

}  // namespace partita
