#include "message/manage.hpp"

#include <cstring>
#include <optional>
#include <utility>

#include "boot/image_contents.hpp"
#include "machine/log.hpp"
#include "machine/window.hpp"
#include "message/message_page.hpp"
#include "partita/hypercall.h"
#include "partition/control.hpp"
#include "partition/system.hpp"
#include "schedule/schedule.hpp"

namespace partita {

using std::int32_t;
using std::uint32_t;

namespace {

[[nodiscard]] Partition* partition_of(const Vcpu& vcpu) {
    System& all = system();
    return vcpu.r[1] < all.partition_count ? &all.partitions[vcpu.r[1]] : nullptr;
}

[[nodiscard]] uint32_t told(Phase phase) {
    switch (phase) {
        case Phase::off: return PARTITA_PHASE_OFF;
        case Phase::loading: return PARTITA_PHASE_LOADING;
        case Phase::running:
        case Phase::resuming: return PARTITA_PHASE_RUNNING;
        case Phase::pausing: return PARTITA_PHASE_PAUSING;
        case Phase::paused: return PARTITA_PHASE_PAUSED;
        case Phase::stopping:
        case Phase::telling:
        case Phase::changing: break;
    }
    return PARTITA_PHASE_STOPPING;
}

void fill(partita_partition_state& out, const Partition& partition, const Vcpu& caller) {
    out.itself = &partition == caller.partition ? 1 : 0;
    static_assert(sizeof out.name >= PARTITA_NAME_SIZE);
    std::memcpy(out.name, partition.guest.name, PARTITA_NAME_SIZE);
    out.phase = told(partition.phase.load(std::memory_order_acquire));
    out.reason = partition.reason.load(std::memory_order_relaxed);
    out.starts = partition.starts.load(std::memory_order_relaxed);
    out.is = (partition.is(PARTITA_POOL) ? PARTITA_IS_OF_POOL : 0) | (partition.is_empty() ? PARTITA_IS_EMPTY : 0) |
             (partition.is_loaded() ? PARTITA_IS_LOADED : 0);
    out.vcpus = static_cast<uint32_t>(partition.vcpus.size());
    for (const VcpuSlot& slot : partition.vcpus) {
        if (slot.vcpu.power.load(std::memory_order_relaxed) == Power::on) out.vcpus_on |= 1u << slot.vcpu.index;
        out.cpus |= 1u << slot.vcpu.cpu->index;
    }
    for (const partita_region& region : partition.regions)
        if ((region.flags & (PARTITA_REGION_DEVICE | PARTITA_REGION_SERVED)) == 0) out.memory += static_cast<uint32_t>(region.size >> 10);
    for (const Port& port : std::span{system().ports}.first(system().port_count)) {
        if (port.partition != &partition) continue;
        out.sent += port.sent.load(std::memory_order_relaxed);
        out.received += port.received.load(std::memory_order_relaxed);
    }
}

// Another CPU's sums, as of its last decision. That writes them in two steps, so they are read until none came between, which a CPU that
// decides more often than this reads could prevent: then they are a decision apart.
[[nodiscard]] timer::Ticks time_of(const timer::Ticks& sum, const Vcpu& vcpu) {
    const auto load = [](const timer::Ticks& value) { return __atomic_load_n(&value, __ATOMIC_ACQUIRE); };
    timer::Ticks out = 0, since = 0;
    for (unsigned n = 0; n < 4; ++n) {
        since = load(vcpu.cpu->since);
        out = load(sum);
        if (load(vcpu.cpu->since) == since) break;
    }
    return out;
}

void fill(partita_vcpu_state& out, const Vcpu& vcpu, const Vcpu&) {
    out.ran = time_of(vcpu.ran, vcpu);
    out.stolen = time_of(vcpu.stolen, vcpu);
    // One that has its CPU for itself may not have come to a decision for long.
    if (vcpu.cpu->alone && vcpu.state == RunState::runnable) out.ran += timer::now() - __atomic_load_n(&vcpu.cpu->since, __ATOMIC_ACQUIRE);
    out.frequency = CNTFRQ::read();
    out.cpu = vcpu.cpu->index;
    out.priority = vcpu.priority;
    out.on = vcpu.power.load(std::memory_order_relaxed) == Power::on ? 1 : 0;
    for (std::size_t n = 0; n < vcpu.exits.size(); ++n) out.exits[n] = vcpu.exits[n];
}

// A record of its own on the stack, put into the page whole.
template <typename State, typename From>
void tell(Vcpu& vcpu, uint32_t offset, const From& from) {
    if (const int32_t bad = check_place(vcpu, offset, sizeof(State)); bad != PSCI_SUCCESS) return answer(vcpu, bad);
    State state{};
    fill(state, from, vcpu);
    std::memcpy(window::open(vcpu.cpu->index, window::Slot::target, PhysAddr{vcpu.message_page + offset}), &state, sizeof state);
    window::close(vcpu.cpu->index, window::Slot::target);
    answer(vcpu, PSCI_SUCCESS);
}

// Where that memory lies, which the partition's lives leave as it is: at the begin of a page.
[[nodiscard]] std::optional<PhysAddr> kept_at(const Partition& partition, uint32_t ipa, uint32_t size) {
    const auto wanted = IpaRange::make(Ipa{ipa}, size);
    if (!wanted || ipa % kPageSize != 0) return std::nullopt;
    for (const partita_region& region : partition.regions)
        if ((region.flags & PARTITA_REGION_KEPT) != 0 && IpaRange{Ipa{region.ipa}, region.size}.contains(*wanted))
            return PhysAddr{region.pa + (ipa - region.ipa)};
    return std::nullopt;
}

// The caller may write its memory while this goes on: what is checked, and used, is a copy.
[[nodiscard]] int32_t stage(Vcpu& vcpu, Partition& partition, PhysAddr memory, uint32_t size) {
    partita_guest& guest = system().staged;
    std::memcpy(&guest, window::open(vcpu.cpu->index, window::Slot::source, memory), sizeof guest);
    window::close(vcpu.cpu->index, window::Slot::source);
    if (const auto good = check_guest(guest, size, partition.regions); !good) {
        vcpu.r[1] = std::to_underlying(good.error());
        return PSCI_INVALID_PARAMETERS;
    }
    for (partita_copy& copy : std::span{guest.copy}.first(guest.copies)) copy.source += memory.value;
    return give_guest(partition, guest);
}

}  // namespace

void tell_partition(Vcpu& vcpu) {
    const Partition* const partition = partition_of(vcpu);
    vcpu.r[1] = system().partition_count;
    if (partition == nullptr) return answer(vcpu, PSCI_INVALID_PARAMETERS);
    tell<partita_partition_state>(vcpu, vcpu.r[2], *partition);
}

void tell_vcpu(Vcpu& vcpu) {
    const Partition* const partition = partition_of(vcpu);
    if (partition == nullptr || vcpu.r[2] >= partition->vcpus.size()) return answer(vcpu, PSCI_INVALID_PARAMETERS);
    tell<partita_vcpu_state>(vcpu, vcpu.r[3], partition->vcpus[vcpu.r[2]].vcpu);
}

void control_partition(Vcpu& vcpu) {
    Partition* const partition = partition_of(vcpu);
    answer(vcpu, partition != nullptr ? control(*partition, *vcpu.partition, vcpu.r[2]) : PSCI_INVALID_PARAMETERS);
}

void load_guest(Vcpu& vcpu) {
    Partition* const partition = partition_of(vcpu);
    const uint32_t ipa = vcpu.r[2], size = vcpu.r[3];
    vcpu.r[1] = 0;
    if (partition == nullptr) return answer(vcpu, PSCI_INVALID_PARAMETERS);
    if (size == 0) return answer(vcpu, take_guest(*partition));
    const auto memory = kept_at(*vcpu.partition, ipa, size);
    if (!memory) return answer(vcpu, PSCI_INVALID_ADDRESS);
    if (system().staging.exchange(true, std::memory_order_acquire)) return answer(vcpu, PARTITA_BUSY);
    answer(vcpu, stage(vcpu, *partition, *memory, size));
    system().staging.store(false, std::memory_order_release);
}

void tell_log(Vcpu& vcpu) {
    constexpr uint32_t most = 128;  // others that write a line wait for as long as it takes
    const uint32_t offset = vcpu.r[1], room = std::min(vcpu.r[2], most), from = vcpu.r[3];
    if (vcpu.partition != system().parent) return answer(vcpu, PSCI_DENIED);
    if (const int32_t bad = check_place(vcpu, offset, room); bad != PSCI_SUCCESS) return answer(vcpu, bad);
    char* const to = reinterpret_cast<char*>(window::open(vcpu.cpu->index, window::Slot::target, PhysAddr{vcpu.message_page + offset}));
    const log::Part part = log::read(from, std::span{to, room});
    window::close(vcpu.cpu->index, window::Slot::target);
    vcpu.r[1] = part.bytes, vcpu.r[2] = part.first;
    answer(vcpu, PSCI_SUCCESS);
}

void log::tell_reader() {
    Partition* const parent = system().parent;
    if (parent != nullptr && lives(parent->phase.load(std::memory_order_acquire))) post(parent->vcpus[0].vcpu, event::news);
}

}  // namespace partita
