#include "partition/masters.hpp"

#include <utility>

#include "machine/gic.hpp"
#include "machine/log.hpp"
#include "partition/fault.hpp"
#include "partition/lifecycle.hpp"
#include "partition/system.hpp"
#include "schedule/cpu.hpp"

namespace partita {

using std::uint32_t;

namespace {

[[nodiscard]] uint32_t vmid_of(const Partition& partition) { return static_cast<uint32_t>(partition.vttbr >> 48); }

// Whose stream it is; nullptr: nobody's.
[[nodiscard]] Master* find_master(uint32_t stream, Partition*& owner) {
    for (uint32_t n = 0; n < system().partition_count; ++n)
        for (Master& master : system().partitions[n].masters)
            if (master.description->stream == stream) {
                owner = &system().partitions[n];
                return &master;
            }
    return nullptr;
}

[[nodiscard]] std::string_view name_of(DmaFault::Reason reason) {
    switch (reason) {
        case DmaFault::Reason::unmapped: return "unmapped";
        case DmaFault::Reason::permission: return "permission";
        case DmaFault::Reason::other: break;
    }
    return "other";
}

// A device that was stopped once is cut off, so that it cannot fill the queue; then the partition's policy.
// False where that was done already.
[[nodiscard]] bool punish(Partition& partition, Master& master, const DmaFault& fault) {
    const bool first = system().smmu.with([&](SmmuV3& smmu) {
        if (!master.stopped) smmu.block(fault.stream);
        return !std::exchange(master.stopped, true);
    });
    if (!first) return false;  // it was under way already
    if (master.is_function()) master.function.cut_off();
    if (may_report(partition))
        LogLine("dma")
            .key("partition", partition.number)
            .hex("stream", fault.stream)
            .word("cause", fault.write ? "write" : "read")
            .word("reason", name_of(fault.reason))
            .hex("address", fault.address)
            .hex("code", fault.code)
            .word("action", policy_of(partition));
    if (partition.is(fault_ends)) end_by_fault(partition);
    return true;
}

}  // namespace

void stop_masters(Partition& partition) {
    if (partition.masters.empty()) return;
    bool resets = false;
    for (Master& master : partition.masters) {
        system().smmu.with([&](SmmuV3& smmu) {
            smmu.block(master.description->stream);
            master.stopped = true;  // what it did before is not told of the next life
        });
        if (master.is_function()) resets = master.function.quiesce() || resets;
    }
    system().smmu.with([&](SmmuV3& smmu) {
        smmu.forget(vmid_of(partition));
        partition.masters_last_fault = smmu.last_fault();
    });
    partition.masters_ready = timer::now() + (resets ? CNTFRQ::read() / (1000 / function_reset_ms) : 0);
}

bool masters_ready(const Partition& partition) {
    if (partition.masters.empty()) return true;
    const timer::Ticks now = timer::now();
    if (now < partition.masters_ready) return false;
    // What a device did in an earlier life is not to cut it off in this one: not waited for without end.
    const bool all_told = system().smmu.with([&](const SmmuV3& smmu) { return smmu.given(partition.masters_last_fault); });
    return all_told || now - partition.stopped_at >= CNTFRQ::read() / 5;
}

void start_masters(Partition& partition) {
    for (Master& master : partition.masters) {
        if (master.is_function()) master.function.program();
        system().smmu.with([&](SmmuV3& smmu) {
            smmu.attach(master.description->stream, partition.stream_tables, vmid_of(partition));
            master.stopped = false;
        });
    }
}

uint32_t read_config(Partition& partition, uint32_t offset, unsigned size) {
    for (const Master& master : partition.masters)
        if (master.is_function() && master.function.number() == offset / kPageSize) return master.function.read(offset % kPageSize, size);
    return ~0u;
}

void write_config(Partition& partition, uint32_t offset, unsigned size, uint32_t value) {
    for (Master& master : partition.masters)
        if (master.is_function() && master.function.number() == offset / kPageSize)
            return master.function.write(offset % kPageSize, size, value);
}

void take_dma_faults(Cpu& cpu) {
    const uint32_t interrupt = system().image->board.smmu_interrupt;
    constexpr unsigned most = 16;
    for (unsigned n = 0; n < most; ++n) {
        const auto fault = system().smmu.with([](SmmuV3& smmu) { return smmu.next_fault(); });
        if (!fault) {
            if (system().smmu.with([](SmmuV3& smmu) { return smmu.lost_faults(); })) LogLine("dma-lost").text("");
            if (n != 0) break;  // once more, and then without any
            cpu.faults_due = timer::never;
            gic::enable(interrupt);
            return;
        }
        Partition* owner = nullptr;
        Master* const master = find_master(fault->stream, owner);
        if (master != nullptr && punish(*owner, *master, *fault)) break;  // a line of the log is enough for one stay
    }
    gic::disable(interrupt);
    cpu.faults_due = timer::now() + CNTFRQ::read() / 1000;
    cpu.find_alarm = cpu.reschedule = true;
}

}  // namespace partita
