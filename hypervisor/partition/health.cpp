#include "partition/health.hpp"

#include "arch/psr.hpp"
#include "machine/console.hpp"
#include "machine/log.hpp"
#include "partition/partition.hpp"

namespace partita {

using std::uint32_t;

namespace {

constexpr uint32_t words_a_line = 4;

// Register n, 0 to 15, of a parked vCPU in the mode that it was in.
[[nodiscard]] uint32_t register_of(const Vcpu& vcpu, uint32_t n) {
    const uint32_t mode = psr::Mode::get(vcpu.spsr);
    const BankedRegisters& banked = vcpu.banked;
    if (n == 15) return vcpu.elr;
    if (mode == psr::fiq && n >= 8) return banked.fiq[n - 8];
    if (n < 13) return vcpu.r[n];
    const bool sp = n == 13;
    switch (mode) {
        case psr::svc: return sp ? banked.sp_svc : banked.lr_svc;
        case psr::abt: return sp ? banked.sp_abt : banked.lr_abt;
        case psr::und: return sp ? banked.sp_und : banked.lr_und;
        case psr::irq: return sp ? banked.sp_irq : banked.lr_irq;
        default: return sp ? banked.sp_usr : vcpu.r[13];
    }
}

// The lines of one vCPU, in order.
enum Line : uint32_t { where, own_faults, registers, stack = registers + 16 / words_a_line, exits = stack + 16 / words_a_line, none };

[[nodiscard]] LogLine& begin(LogLine& line, const Vcpu& vcpu) {
    return line.key("partition", vcpu.partition->number).key("vcpu", vcpu.index);
}

void tell_words(const Vcpu& vcpu, std::string_view fact, uint32_t from, const uint32_t (&words)[words_a_line]) {
    LogLine line{fact};
    begin(line, vcpu).hex("from", from).hex("a", words[0]).hex("b", words[1]).hex("c", words[2]).hex("d", words[3]);
}

void tell_where(const Vcpu& vcpu) {
    LogLine line{"stopped"};
    begin(line, vcpu).hex("pc", vcpu.elr).hex("cpsr", vcpu.spsr).hex("sp", register_of(vcpu, 13)).hex("lr", register_of(vcpu, 14));
}

// What it was told of its own aborts, and whether its MMU was on.
void tell_own_faults(const Vcpu& vcpu) {
    const SystemRegisters& system = vcpu.system;
    LogLine line{"aborts"};
    begin(line, vcpu)
        .hex("sctlr", system.sctlr)
        .hex("dfsr", system.dfsr)
        .hex("dfar", system.dfar)
        .hex("ifsr", system.ifsr)
        .hex("ifar", system.ifar);
}

// By exception class (DDI 0406C B3.13.6), since the board was started.
void tell_exits(const Vcpu& vcpu) {
    uint32_t coprocessor = 0, all = 0;
    for (uint32_t ec = 0; ec < vcpu.exits.size(); ++ec) {
        all += vcpu.exits[ec];
        if (ec >= 0x03 && ec <= 0x0c) coprocessor += vcpu.exits[ec];
    }
    const uint32_t interrupts = vcpu.exits[0], waits = vcpu.exits[0x01], calls = vcpu.exits[0x12] + vcpu.exits[0x13],
                   accesses = vcpu.exits[0x24];
    LogLine line{"exits"};
    begin(line, vcpu).key("interrupts", interrupts).key("waits", waits).key("calls", calls).key("accesses", accesses);
    line.key("coprocessor", coprocessor).key("others", all - interrupts - waits - calls - accesses - coprocessor);
}

void tell_line(const Vcpu& vcpu, const LastWords& last, uint32_t line) {
    uint32_t words[words_a_line];
    if (line == where) return tell_where(vcpu);
    if (line == own_faults) return tell_own_faults(vcpu);
    if (line == exits) return tell_exits(vcpu);
    const bool of_stack = line >= stack;
    const uint32_t from = (line - (of_stack ? stack : registers)) * words_a_line;
    for (uint32_t n = 0; n < words_a_line; ++n) words[n] = of_stack ? last.stack[from + n] : register_of(vcpu, from + n);
    if (!of_stack)
        tell_words(vcpu, "registers", from, words);
    else if (from < last.words)
        tell_words(vcpu, "stack", last.sp + from * 4, words);
}

}  // namespace

uint32_t who_matters(const Partition& partition) {
    if (const uint32_t culprit = partition.last_words.culprit.load(std::memory_order_relaxed); culprit != 0) return culprit - 1;
    return partition.reason.load(std::memory_order_relaxed) == PARTITA_RESET_WATCHDOG ? 0 : LastWords::nobody;
}

bool to_be_told(const Partition& partition) {
    if (who_matters(partition) == LastWords::nobody) return false;
    return partition.last_words.told_at == 0 || timer::now() - partition.last_words.told_at >= CNTFRQ::read();
}

bool tell_step(Partition& partition) {
    LoadCursor& cursor = partition.cursor;
    LastWords& last = partition.last_words;
    // Room for the line, and for what others have to tell; not for ever, where nothing takes the log away.
    if (console::room(PARTITA_CONSOLE_LOG) < console::Ring::capacity / 2 && timer::now() - partition.stopped_at < CNTFRQ::read() / 5)
        return false;
    while (cursor.item < partition.vcpus.size() && (last.were_on.load(std::memory_order_relaxed) >> cursor.item & 1u) == 0) ++cursor.item;
    if (cursor.item >= partition.vcpus.size()) {
        last.told_at = timer::now();
        return true;
    }
    tell_line(partition.vcpus[cursor.item].vcpu, last, static_cast<uint32_t>(cursor.offset));
    const uint32_t lines = cursor.item == who_matters(partition) ? none : where + 1u;
    if (++cursor.offset == lines) ++cursor.item, cursor.offset = 0;
    return false;
}

}  // namespace partita
