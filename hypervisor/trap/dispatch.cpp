// The one switch from a trap's cause to its handler, and the one epilogue that applies what it decided.
#include "arch/psr.hpp"
#include "arch/registers.hpp"
#include "arch/syndrome.hpp"
#include "banked.hpp"
#include "trace/recorder.hpp"
#include "trap/handlers.hpp"
#include "trap/inject.hpp"
#include "trap/run.hpp"

namespace partita {

namespace {

[[nodiscard, gnu::noinline]] bool stated_condition_fails(Syndrome syndrome) {
    const std::uint32_t state = read_spsr();
    if (syndrome.condition_valid()) return !condition_holds(syndrome.condition(), state);
    const std::uint32_t it = it_state(state);
    return psr::Thumb::test(state) && it != 0 && !condition_holds(it >> 4, state);
}

// Whether the trapped instruction's condition fails: it is then stepped over (DDI 0406C B3.13.6; QEMU never traps these).
[[nodiscard]] bool condition_fails(Syndrome syndrome) { return !syndrome.always() && stated_condition_fails(syndrome); }

// The causes whose syndrome has a condition: trapped coprocessor accesses, WFI and the like.
[[nodiscard, gnu::noinline]] Outcome conditional(Vcpu& vcpu, Syndrome syndrome) {
    switch (syndrome.trap_class()) {
        case TrapClass::wfi_wfe: return on_wait(vcpu, syndrome);
        case TrapClass::cp15_64: return on_cp15_long(vcpu, CoprocessorAccess{syndrome.raw});
        case TrapClass::cp14_32: return on_cp14(vcpu, CoprocessorAccess{syndrome.raw});
        case TrapClass::coprocessor_access: return on_coprocessor(vcpu, syndrome);
        case TrapClass::vmrs: return on_vmrs(vcpu, CoprocessorAccess{syndrome.raw});
        default: return Outcome::undefined;
    }
}

}  // namespace

[[gnu::noinline]] Outcome on_conditional_cp15(Vcpu& vcpu, CoprocessorAccess access) {
    return condition_fails({access.raw}) ? Outcome::advance : on_cp15(vcpu, access);
}

Outcome dispatch(Vcpu& vcpu, Syndrome syndrome) {
    switch (syndrome.trap_class()) {
        case TrapClass::data_abort: return on_data_abort(vcpu, DataAbort{syndrome.raw});
        case TrapClass::hvc: return on_hypercall(vcpu, Outcome::resume);
        case TrapClass::cp15_32: return on_frequent_cp15(vcpu, CoprocessorAccess{syndrome.raw});
        case TrapClass::smc: return on_hypercall(vcpu, Outcome::advance);
        case TrapClass::prefetch_abort: return on_prefetch_abort(vcpu, DataAbort{syndrome.raw});
        case TrapClass::wfi_wfe:
        case TrapClass::cp15_64:
        case TrapClass::cp14_32:
        case TrapClass::coprocessor_access:
        case TrapClass::vmrs:
        case TrapClass::cp14_64:
        case TrapClass::cp14_load_store:
        case TrapClass::jazelle:
        case TrapClass::bxj: return condition_fails(syndrome) ? Outcome::advance : conditional(vcpu, syndrome);
        case TrapClass::unknown:
        case TrapClass::svc_from_hyp:
        case TrapClass::prefetch_abort_hyp:
        case TrapClass::data_abort_hyp: break;
    }
    return Outcome::undefined;
}

void apply(Vcpu&, Outcome outcome, Syndrome syndrome) {
    switch (outcome) {
        case Outcome::resume: return;
        case Outcome::advance: return advance_pc(syndrome.long_instruction());
        case Outcome::undefined: return inject_undefined();
        case Outcome::data_abort: return inject_data_abort(HDFAR::read(), DataAbort{syndrome.raw}.write());
        case Outcome::prefetch_abort: return inject_prefetch_abort(HIFAR::read());
    }
}

extern "C" Vcpu* on_trap(Vcpu* vcpu);
extern "C" Vcpu* on_traced_trap(Vcpu* vcpu) {
    trace::record(*vcpu->cpu, PARTITA_TRACE_TRAP, HSR::read(), read_elr());
    Vcpu* const next = on_trap(vcpu);
    trace::record(*next->cpu, PARTITA_TRACE_RESUME, trace::name(*next), read_elr());
    return next;
}

extern "C" Vcpu* on_asynchronous_abort(Vcpu* vcpu) {
    asynchronous_abort(*vcpu);
    Cpu& cpu = *vcpu->cpu;
    return cpu.reschedule ? run_next(cpu) : vcpu;
}

extern "C" Vcpu* on_trap(Vcpu* vcpu) {
    const Syndrome syndrome{HSR::read()};
    ++vcpu->exits[Syndrome::Class::get(syndrome.raw)];
    apply(*vcpu, dispatch(*vcpu, syndrome), syndrome);
    Cpu& cpu = *vcpu->cpu;
    return cpu.reschedule ? run_next(cpu) : vcpu;
}

}  // namespace partita
