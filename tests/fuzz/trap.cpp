// The trap dispatcher as a total function: a sequence of syndromes, instructions and states from the input; the guest is always left in
// a mode of its own, and no other partition is touched.
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
    std::uint32_t syndrome, spsr, address, hpfar, par, instruction, vfp, r[15];
};

// Memory and devices lie where they are; a few pages are what the input says.
class Guests : public partita::FakeTranslation {
public:
    std::uint32_t par = 0;
    std::uint64_t translate(std::uint32_t address, bool, bool) override {
        const bool odd = (address >> 12 & 1u) != 0 && address >> 20 != code >> 20;
        return odd ? par : address & ~0xfffu;
    }
    static constexpr std::uint32_t code = 0x4010'0000;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace partita;
    static FakeSystem fake;
    static Vcpu& vcpu = fake.start(0);
    static Guests guests;
    fake_translation = &guests;
    for (; size >= sizeof(Step); data += sizeof(Step), size -= sizeof(Step)) {
        Step step;
        std::memcpy(&step, data, sizeof step);
        constexpr std::uint32_t modes[] = {psr::usr, psr::fiq, psr::irq, psr::svc, psr::abt, psr::und, psr::sys, psr::svc};
        write_spsr((step.spsr & ~0x1fu) | modes[step.spsr & 7u]);
        std::copy_n(std::begin(step.r), 14, vcpu.r.begin());
        for (const std::uint32_t mode : modes) write_banked(mode, 13, step.r[14]);
        std::memcpy(fake_hardware.memory(vcpu.partition->regions[0].pa + (Guests::code - vcpu.partition->regions[0].ipa)),
                    &step.instruction, 4);
        write_elr(Guests::code);
        vcpu.cpu->vfp_owner = (step.vfp & 1u) != 0 ? &vcpu : nullptr;
        fake_hardware.vfp.fpexc = step.vfp;
        guests.par = step.par;
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
