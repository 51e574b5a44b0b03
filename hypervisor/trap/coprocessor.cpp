// CP14 and CP15 accesses that trap, each with a defined answer. What is not named here is UNDEFINED to the guest.
#include "arch/psr.hpp"
#include "arch/registers.hpp"
#include "banked.hpp"
#include "partition/counters.hpp"
#include "schedule/schedule.hpp"
#include "trap/guest_registers.hpp"
#include "trap/handlers.hpp"
#include "trap/run.hpp"

namespace partita {

using std::uint32_t;

namespace {

constexpr uint32_t key(unsigned opc1, unsigned crn, unsigned crm, unsigned opc2) { return CoprocessorAccess::key(opc1, crn, crm, opc2); }

[[nodiscard]] bool privileged() { return psr::Mode::get(trapped_state()) != psr::usr; }

Outcome answer(Vcpu& vcpu, CoprocessorAccess access, uint32_t value) {
    if (access.read()) set_guest_register(vcpu, access.rt(), value);
    return Outcome::advance;  // a write is ignored
}

// The emulated physical timer. PL0 may use it only as far as CNTKCTL.PL0PTEN says (B8.1.3).
Outcome timer_control_register(Vcpu& vcpu, CoprocessorAccess access) {
    const timer::Ticks now = timer::now();
    if (access.read()) {
        settle_physical_timer(vcpu, now);
        return answer(vcpu, access, vcpu.cntp_ctl);
    }
    vcpu.cntp_ctl = guest_register(vcpu, access.rt()) & (timer_control::enable | timer_control::masked);
    settle_physical_timer(vcpu, now);
    arm_timer(*vcpu.cpu);
    return Outcome::advance;
}

void set_compare(Vcpu& vcpu, timer::Ticks compare) {
    vcpu.cntp_cval = compare;
    settle_physical_timer(vcpu, timer::now());
    arm_timer(*vcpu.cpu);
}

Outcome timer_value_register(Vcpu& vcpu, CoprocessorAccess access) {
    const timer::Ticks now = timer::now();
    if (access.read()) return answer(vcpu, access, static_cast<uint32_t>(vcpu.cntp_cval - now));
    const auto offset = static_cast<std::int32_t>(guest_register(vcpu, access.rt()));
    set_compare(vcpu, now + static_cast<timer::Ticks>(static_cast<std::int64_t>(offset)));
    return Outcome::advance;
}

[[nodiscard]] bool may_use_physical_timer() {
    constexpr uint32_t pl0_timer = 1u << 9;
    return __builtin_expect(privileged(), 1) || (CNTKCTL::read() & pl0_timer) != 0;
}

// ID registers trap as a group (TID3): they read as they are, without what a partition does not get.
Outcome identification(Vcpu& vcpu, CoprocessorAccess access) {
    constexpr uint32_t virtualization = 0xf000, security = 0x00f0, performance_monitors = 0x0f00'0000, trace = 0x00ff'0000;
    uint32_t value = 0;  // reserved ones read as zero (B7.1)
    switch (access.key()) {
        case key(0, 0, 1, 0): value = ID_PFR0::read(); break;
        case key(0, 0, 1, 1): value = Cp15<0, 0, 1, 1>::read() & ~(virtualization | security); break;
        case key(0, 0, 1, 2):
            value = Cp15<0, 0, 1, 2>::read() & ~((has_counters(*vcpu.partition) ? 0 : performance_monitors) | trace);
            break;
        case key(0, 0, 1, 3): value = Cp15<0, 0, 1, 3>::read(); break;
        case key(0, 0, 1, 4): value = Cp15<0, 0, 1, 4>::read(); break;
        case key(0, 0, 1, 5): value = Cp15<0, 0, 1, 5>::read(); break;
        case key(0, 0, 1, 6): value = Cp15<0, 0, 1, 6>::read(); break;
        case key(0, 0, 1, 7): value = Cp15<0, 0, 1, 7>::read(); break;
        case key(0, 0, 2, 0): value = Cp15<0, 0, 2, 0>::read(); break;
        case key(0, 0, 2, 1): value = Cp15<0, 0, 2, 1>::read(); break;
        case key(0, 0, 2, 2): value = Cp15<0, 0, 2, 2>::read(); break;
        case key(0, 0, 2, 3): value = Cp15<0, 0, 2, 3>::read(); break;
        case key(0, 0, 2, 4): value = Cp15<0, 0, 2, 4>::read(); break;
        case key(0, 0, 2, 5): value = Cp15<0, 0, 2, 5>::read(); break;
        default: break;
    }
    return answer(vcpu, access, value);
}

constexpr uint32_t actlr = key(0, 1, 0, 1), cntp_tval = key(0, 14, 2, 0), cntp_ctl = key(0, 14, 2, 1), l2ctlr = key(1, 9, 0, 2),
                   l2ectlr = key(1, 9, 0, 3);

Outcome on_other_cp15(Vcpu& vcpu, CoprocessorAccess access) {
    if (access.key() == cntp_tval) return may_use_physical_timer() ? timer_value_register(vcpu, access) : Outcome::undefined;
    constexpr uint32_t crn_mask = CoprocessorAccess::Crn::mask;
    const uint32_t crn = CoprocessorAccess::Crn::get(access.raw);
    const uint32_t crm = CoprocessorAccess::Crm::get(access.raw);
    const uint32_t opc1 = CoprocessorAccess::Opc1::get(access.raw);
    const bool performance_monitor = crn == 9 && crm >= 12;
    if (!privileged()) return Outcome::undefined;
    if (performance_monitor && opc1 == 0) return answer(vcpu, access, 0);  // no counters: RAZ/WI
    if ((access.raw & crn_mask) == 0 && opc1 == 0 && access.read()) return identification(vcpu, access);
    switch (access.key()) {
        case l2ctlr: return answer(vcpu, access, static_cast<uint32_t>(vcpu.partition->vcpus.size() - 1) << 24);
        case l2ectlr: return answer(vcpu, access, 0);
        default: return Outcome::undefined;
    }
}

}  // namespace

Outcome on_cp15(Vcpu& vcpu, CoprocessorAccess access) {
    constexpr uint32_t actlr_smp = 1u << 6;
    switch (access.key()) {
        case actlr: return privileged() ? answer(vcpu, access, actlr_smp) : Outcome::undefined;
        case cntp_ctl: return may_use_physical_timer() ? timer_control_register(vcpu, access) : Outcome::undefined;
        default: return on_other_cp15(vcpu, access);
    }
}

// The reads that software does by the million, in the A32 instruction set and without a condition: recognised by the whole syndrome.
Outcome on_frequent_cp15(Vcpu& vcpu, CoprocessorAccess access) {
    const uint32_t state = trapped_state(), shape = access.raw & ~CoprocessorAccess::Rt::mask;
    const bool simple = !psr::Thumb::test(state) && psr::Mode::get(state) != psr::usr;
    constexpr uint32_t actlr_smp = 1u << 6;
    if (shape == CoprocessorAccess::always_read(actlr) && simple) {
        set_guest_register(vcpu, access.rt(), actlr_smp);
    } else if (shape == CoprocessorAccess::always_read(cntp_ctl) && simple && (vcpu.cntp_ctl & timer_control::enable) == 0) {
        set_guest_register(vcpu, access.rt(), vcpu.cntp_ctl);
    } else {
        return on_conditional_cp15(vcpu, access);
    }
    write_elr(read_elr() + 4);
    return Outcome::resume;
}

Outcome on_cp15_long(Vcpu& vcpu, CoprocessorAccess access) {
    if (access.key64() != CoprocessorAccess::key64(2, 14)) return Outcome::undefined;  // CNTP_CVAL
    if (!may_use_physical_timer()) return Outcome::undefined;
    if (access.read()) {
        set_guest_register(vcpu, access.rt(), static_cast<uint32_t>(vcpu.cntp_cval));
        set_guest_register(vcpu, access.rt2(), static_cast<uint32_t>(vcpu.cntp_cval >> 32));
        return Outcome::advance;
    }
    const timer::Ticks high = guest_register(vcpu, access.rt2());
    set_compare(vcpu, high << 32 | guest_register(vcpu, access.rt()));
    return Outcome::advance;
}

// Debug registers: no debug hardware for partitions, so a probe finds none (RAZ/WI); PL0 is told that it may not.
Outcome on_cp14(Vcpu& vcpu, CoprocessorAccess access) {
    if (!privileged()) return Outcome::undefined;
    if (access.rt() == 15) return Outcome::advance;  // MRC to the flags: DBGDSCR, which reads as zero
    return answer(vcpu, access, 0);
}

Outcome on_vmrs(Vcpu& vcpu, CoprocessorAccess access) {
    // MVFR0 and MVFR1 (CRn 7 and 6) tell of VFPv4 and NEON as the CPU has them; FPSID is not trapped.
    uint32_t value = 0;
    if (!privileged() || !access.read()) return Outcome::undefined;
    // HCPTR's traps bind Hyp mode as well (B1.14.3), and which of two traps a CPU reports first is its own choice.
    if (vcpu.cpu->vfp_owner != &vcpu) give_vfp(vcpu);
    if (CoprocessorAccess::Crn::get(access.raw) == 7) value = read_mvfr0();
    if (CoprocessorAccess::Crn::get(access.raw) == 6) value = read_mvfr1();
    return answer(vcpu, access, value);
}

// HCPTR. VFP and NEON: the registers were another vCPU's until now. The rest does not exist.
Outcome on_coprocessor(Vcpu& vcpu, Syndrome syndrome) {
    constexpr uint32_t advanced_simd = 1u << 5, coprocessor = 0xf;
    const bool vfp = (syndrome.raw & advanced_simd) != 0 || (syndrome.raw & coprocessor) == 10 || (syndrome.raw & coprocessor) == 11;
    // QEMU reports 0 here for VFP; no other coprocessor is left that a guest could reach without an UNDEF of its own.
    const bool unsaid = (syndrome.raw & coprocessor) == 0;
    if (!(vfp || unsaid) || vcpu.cpu->vfp_owner == &vcpu) return Outcome::undefined;
    give_vfp(vcpu);
    return Outcome::resume;
}

}  // namespace partita
