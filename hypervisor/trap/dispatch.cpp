// The one switch from a trap's cause to its handler, and the one epilogue that applies what it decided.
#include "arch/psr.hpp"
#include "arch/registers.hpp"
#include "arch/syndrome.hpp"
#include "banked.hpp"
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
[[nodiscard]] bool condition_fails(Syndrome syndrome) {
    return syndrome.conditional() && !syndrome.always() && stated_condition_fails(syndrome);
}

}  // namespace

Outcome dispatch(Vcpu& vcpu, Syndrome syndrome) {
    if (condition_fails(syndrome)) return Outcome::advance;
    switch (syndrome.trap_class()) {
        case TrapClass::data_abort: return on_data_abort(vcpu, DataAbort{syndrome.raw});
        case TrapClass::hvc: return on_hypercall(vcpu, Outcome::resume);
        case TrapClass::wfi_wfe: return on_wait(vcpu);
        case TrapClass::cp15_32: return on_cp15(vcpu, CoprocessorAccess{syndrome.raw});
        case TrapClass::cp15_64: return on_cp15_long(vcpu, CoprocessorAccess{syndrome.raw});
        case TrapClass::cp14_32: return on_cp14(vcpu, CoprocessorAccess{syndrome.raw});
        case TrapClass::coprocessor_access: return on_coprocessor(vcpu, syndrome);
        case TrapClass::smc: return on_hypercall(vcpu, Outcome::advance);
        case TrapClass::prefetch_abort: return on_prefetch_abort(vcpu, DataAbort{syndrome.raw});
        case TrapClass::vmrs: return on_vmrs(vcpu, CoprocessorAccess{syndrome.raw});
        case TrapClass::cp14_64:
        case TrapClass::cp14_load_store:
        case TrapClass::jazelle:
        case TrapClass::bxj:
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
        case Outcome::advance: {
            // IL is not valid for every cause: without it a Thumb coprocessor or MMIO instruction would be taken for 2 bytes.
            const bool arm = !psr::Thumb::test(read_spsr());
            return advance_pc(arm || syndrome.long_instruction());
        }
        case Outcome::undefined: return inject_undefined();
        case Outcome::data_abort: return inject_data_abort(HDFAR::read(), DataAbort{syndrome.raw}.write());
        case Outcome::prefetch_abort: return inject_prefetch_abort(HIFAR::read());
    }
}

extern "C" Vcpu* on_asynchronous_abort(Vcpu* vcpu) {
    asynchronous_abort(*vcpu);
    Cpu& cpu = *vcpu->cpu;
    return cpu.reschedule ? run_next(cpu) : vcpu;
}

extern "C" Vcpu* on_trap(Vcpu* vcpu) {
    const Syndrome syndrome{HSR::read()};
    apply(*vcpu, dispatch(*vcpu, syndrome), syndrome);
    Cpu& cpu = *vcpu->cpu;
    return cpu.reschedule ? run_next(cpu) : vcpu;
}

}  // namespace partita
