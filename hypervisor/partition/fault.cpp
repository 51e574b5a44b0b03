#include "partition/fault.hpp"

#include "banked.hpp"
#include "machine/log.hpp"

namespace partita {

namespace {

constexpr std::uint32_t reports_each_second = 8;

}  // namespace

std::string_view policy_of(const Partition& partition) {
    if (partition.is(PARTITA_ON_FAULT_HALT)) return "halt";
    if (partition.is(PARTITA_ON_FAULT_STOP)) return "stop";
    return partition.is(PARTITA_ON_FAULT_RESTART) ? "restart" : "abort";
}

bool may_report(Partition& partition) {
    const timer::Ticks now = timer::now();
    timer::Ticks since = partition.reports_since.load(std::memory_order_relaxed);
    // One of the CPUs that see the second end begins the next.
    if (now - since >= CNTFRQ::read() && partition.reports_since.compare_exchange_strong(since, now, std::memory_order_relaxed)) {
        partition.reports.store(0, std::memory_order_relaxed);
        if (const auto lost = partition.suppressed.exchange(0, std::memory_order_relaxed); lost != 0)
            LogLine("suppressed").key("partition", partition.number).key("reports", lost);
    }
    if (partition.reports.fetch_add(1, std::memory_order_relaxed) < reports_each_second) return true;
    partition.suppressed.fetch_add(1, std::memory_order_relaxed);
    return false;
}

void report(Vcpu& vcpu, const Fault& fault, std::string_view action) {
    if (!may_report(*vcpu.partition)) return;
    LogLine("fault")
        .key("partition", vcpu.partition->number)
        .key("vcpu", vcpu.index)
        .word("cause", fault.cause)
        .word("reason", fault.reason)
        .key("size", fault.size)
        .hex("address", fault.address)
        .hex("ipa", fault.ipa)
        .hex("pc", read_elr())
        .hex("cpsr", read_spsr())
        .word("action", action);
}

}  // namespace partita
