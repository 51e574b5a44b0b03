// The flight recorder: fixed records in a ring for each CPU (abi/partita/trace.h), written by that CPU alone, in ticks.
//
// Entries and exits are recorded by vectors of their own (trap/vectors.S), which a CPU uses only where the system has a trace: they
// cost nothing otherwise. The other events cost a predicted branch.
#pragma once

#include <cstdint>

#include "arch/registers.hpp"
#include "partita/trace.h"
#include "schedule/cpu.hpp"

namespace partita::trace {

// Twelve instructions where the system has a trace.
[[gnu::always_inline]] inline void record(Cpu& cpu, partita_trace_kind kind, std::uint32_t a = 0, std::uint32_t b = 0) {
    partita_trace_record* const at = cpu.trace;
    if (__builtin_expect(at == nullptr, 1)) return;
    const std::uint64_t now = CNTPCT::read();
    *at = {static_cast<std::uint32_t>(now), static_cast<std::uint32_t>(kind) << 24 | (static_cast<std::uint32_t>(now >> 32) & 0xffu), a, b};
    partita_trace_record* const next = at + 1;
    cpu.trace = next == cpu.trace_end ? cpu.trace_begin : next;
}

[[nodiscard]] inline std::uint32_t name(const Vcpu& vcpu) { return PARTITA_TRACE_VCPU(vcpu.partition->number, vcpu.index); }

}  // namespace partita::trace
