// Physical interrupts: to the hypervisor's own few, or by the routing table to the partition that owns them.
#include <cstdint>

#include "banked.hpp"
#include "machine/console.hpp"
#include "machine/gic.hpp"
#include "machine/uart.hpp"
#include "partition/masters.hpp"
#include "partition/system.hpp"
#include "schedule/schedule.hpp"
#include "trace/recorder.hpp"
#include "trap/run.hpp"

namespace partita {

namespace {

void finish(std::uint32_t iar) {
    gic::drop_priority(iar);
    gic::deactivate(iar);
}

// Sends what waits for the UART, and tells those who waited for room.
void send_waiting() {
    console::pump();
    if (!console::room_wanted()) return;
    for (std::uint32_t n = 0; n < system().partition_count; ++n) system().partitions[n].console.drained();
    if (system().parent != nullptr) system().control.drained();
    console::pump();  // where one of them is still full, the interrupt is to come again
}

void take_uart() {
    constexpr unsigned most = 64;  // two FIFOs: a line that is never silent comes again by itself
    uart::acknowledge();
    for (unsigned n = 0; n < most; ++n) {
        const auto received = console::receive();
        if (!received) break;
        if (received->channel == PARTITA_CONSOLE_CONTROL && system().parent != nullptr) (void)system().control.receive(received->byte);
        const std::uint32_t number = received->channel - PARTITA_CONSOLE_FIRST_PARTITION;
        if (received->channel >= PARTITA_CONSOLE_FIRST_PARTITION && number < system().partition_count)
            (void)system().partitions[number].console.receive(received->byte);
    }
    send_waiting();
}

// CNTHP fired.
[[gnu::noinline]] void take_timer(Cpu& cpu) {
    timer::arm(timer::never);
    cpu.armed = timer::never;
    const timer::Ticks now = timer::now();
    if (now >= cpu.console_due) {
        cpu.console_due = timer::never;
        cpu.find_alarm = true;
        send_waiting();
    }
    if (now >= cpu.faults_due) take_dma_faults(cpu);
    expire(cpu, now);
    console::tick();
    cpu.reschedule = true;
}

[[gnu::noinline]] void take_own_spi(Cpu& cpu, std::uint32_t iar, std::uint32_t id) {
    if (id == system().image->board.uart_interrupt)
        take_uart();
    else if (id == system().image->board.smmu_interrupt)
        take_dma_faults(cpu);
    else
        gic::disable(id);  // nobody's: it must not come again
    finish(iar);
}

void take_spi(Cpu& cpu, std::uint32_t iar, std::uint32_t id) {
    Distributor* const owner = id < PARTITA_MAX_INTERRUPTS ? system().owner[id] : nullptr;
    if (owner == nullptr) return take_own_spi(cpu, iar, id);
    gic::drop_priority(iar);
    owner->take_linked(id, cpu.loaded != nullptr ? &cpu.loaded->interrupts : nullptr);
    if (cpu.loaded != nullptr && cpu.loaded->state == RunState::blocked && cpu.loaded->interrupts.signalled()) wake(*cpu.loaded);
}

[[noreturn]] void halt() {
    system().standing.fetch_add(1, std::memory_order_release);
    for (;;) wait_for_interrupt();
}

// The loaded vCPU's virtual timer. The physical interrupt stays active until the guest ends the virtual one.
[[gnu::always_inline]] inline void take_virtual_timer(Vcpu& vcpu, std::uint32_t iar) {
    gic::drop_priority(iar);
    vcpu.interrupts.take_linked_private(intid::virtual_timer);
}

// A private interrupt of the CPU that its one vCPU has for itself: the performance counters'.
void take_private(Cpu& cpu, std::uint32_t iar, std::uint32_t id) {
    if (cpu.loaded == nullptr || !cpu.loaded->interrupts.linked(id)) {
        gic::disable(id);  // of a vCPU that has stopped
        return finish(iar);
    }
    gic::drop_priority(iar);
    cpu.loaded->interrupts.take_linked_private(id);
    wake(*cpu.loaded);
}

[[gnu::noinline]] void take_rare(Cpu& cpu, std::uint32_t iar, std::uint32_t id) {
    switch (id) {
        case intid::hyp_timer:
            take_timer(cpu);
            finish(iar);
            return;
        case intid::maintenance:
            if (cpu.loaded != nullptr) cpu.loaded->interrupts.maintain();
            finish(iar);
            return;
        case intid::sgi_stop: halt();
        default: break;
    }
    if (id >= intid::first_ppi && id < intid::first_spi) return take_private(cpu, iar, id);
    if (id < intid::special) finish(iar);  // otherwise nothing was pending any more
}

[[gnu::always_inline]] inline void take_other(Cpu& cpu, std::uint32_t iar) {
    const std::uint32_t id = iar & 0x3ffu;
    if (id == intid::sgi_post) {
        finish(iar);
        serve_inbox(cpu);
    } else if (id >= intid::first_spi && id < intid::special) {
        take_spi(cpu, iar, id);
    } else {
        take_rare(cpu, iar, id);
    }
}

}  // namespace

[[gnu::noinline]] void take_interrupt(Cpu& cpu) {
    const std::uint32_t iar = gic::acknowledge();
    if ((iar & 0x3ffu) != intid::virtual_timer) return take_other(cpu, iar);
    if (cpu.loaded == nullptr) return finish(iar);
    take_virtual_timer(*cpu.loaded, iar);
    wake(*cpu.loaded);
}

void doze(Cpu& cpu, Vcpu& vcpu) {
    for (;;) {
        trace::record(cpu, PARTITA_TRACE_IDLE);
        wait_for_interrupt();
        trace::record(cpu, PARTITA_TRACE_WAKE);
        const std::uint32_t iar = gic::acknowledge();
        if ((iar & 0x3ffu) == intid::virtual_timer) return take_virtual_timer(vcpu, iar);
        take_other(cpu, iar);
        if (cpu.loaded != &vcpu || vcpu.interrupts.signalled()) return;
        if (!cpu.reschedule) continue;
        if (posted(cpu)) return;
        cpu.reschedule = false;
        arm_timer(cpu);
    }
}

extern "C" Vcpu* on_interrupt(Vcpu* vcpu) {
    const std::uint32_t iar = gic::acknowledge();
    ++vcpu->exits[0];
    if ((iar & 0x3ffu) == intid::virtual_timer)
        take_virtual_timer(*vcpu, iar);
    else if (vcpu->interrupts.take_same_spi(iar & 0x3ffu))
        gic::drop_priority(iar);
    else
        take_other(*vcpu->cpu, iar);
    Cpu& cpu = *vcpu->cpu;
    return cpu.reschedule ? run_next(cpu) : vcpu;
}

extern "C" Vcpu* on_traced_interrupt(Vcpu* vcpu) {
    trace::record(*vcpu->cpu, PARTITA_TRACE_INTERRUPT, gic::highest_pending(), read_elr());
    Vcpu* const next = on_interrupt(vcpu);
    trace::record(*next->cpu, PARTITA_TRACE_RESUME, trace::name(*next), read_elr());
    return next;
}

}  // namespace partita
