// The trap dispatcher as a total function: a sequence of syndromes and states from the input; the guest is always left in a
// mode of its own, and no other partition is touched.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "../unit/fake_system.hpp"
#include "arch/psr.hpp"
#include "arch/syndrome.hpp"
#include "banked.hpp"
#include "trap/handlers.hpp"

namespace {

struct Step {
    std::uint32_t syndrome, spsr, address, hpfar, par, r[4];
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace partita;
    static FakeSystem fake;
    static Vcpu& vcpu = fake.start(0);
    for (; size >= sizeof(Step); data += sizeof(Step), size -= sizeof(Step)) {
        Step step;
        std::memcpy(&step, data, sizeof step);
        constexpr std::uint32_t modes[] = {psr::usr, psr::fiq, psr::irq, psr::svc, psr::abt, psr::und, psr::sys, psr::svc};
        write_spsr((step.spsr & ~0x1fu) | modes[step.spsr & 7u]);
        std::copy(std::begin(step.r), std::end(step.r), vcpu.r.begin());
        HDFAR::write(step.address);
        HIFAR::write(step.address);
        HPFAR::write(step.hpfar);
        PAR::write(step.par);
        try {
            apply(vcpu, dispatch(vcpu, Syndrome{step.syndrome}), Syndrome{step.syndrome});
        } catch (const Idle&) {  // WFI
        }
        if (!is_guest_mode(read_spsr())) std::abort();
        if (system().partitions[1].phase.load() != Phase::off || system().partitions[1].live.load() != 0) std::abort();
        become(vcpu, RunState::runnable);
        vcpu.partition->phase.store(Phase::running);
    }
    return 0;
}
