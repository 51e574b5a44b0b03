// What lies below the hypervisor's logic, on the host: firmware, windows and banked registers that tests can look at.
#include "fake_hardware.hpp"

#include <cstring>

#include "boot/panic.hpp"
#include "machine/firmware.hpp"
#include "machine/window.hpp"
#include "partition/world_switch.hpp"

namespace partita {

FakeHardware fake_hardware;

void panic(std::string_view what, std::uint32_t) { throw Panic{std::string{what}}; }

namespace firmware {
std::int32_t cpu_on(std::uint32_t, PhysAddr, std::uint32_t) { return 0; }
void system_off() { throw SystemOff{}; }
}  // namespace firmware

namespace window {
std::byte* open(std::uint32_t, Slot, PhysAddr pa) { return fake_hardware.memory(pa.value); }
void close(std::uint32_t, Slot) {}
void scrub(std::byte* begin, std::size_t size) {
    std::memset(begin, 0, size);
    clean(begin, size);
}
void clean(const std::byte* begin, std::size_t size) { fake_hardware.cleaned.emplace_back(begin, size); }
}  // namespace window

std::byte* FakeHardware::memory(std::uint64_t pa) {
    auto& block = blocks[pa / kBlockSize];
    if (block.empty()) block.assign(kBlockSize, std::byte{0xa5});
    return block.data() + pa % kBlockSize;
}

}  // namespace partita

extern "C" {
void save_system(partita::SystemRegisters* out) {
    using namespace partita;
    *out = {};
    out->ttbr0 = TTBR0::read(), out->ttbr1 = TTBR1::read(), out->par = PAR::read();
    out->sctlr = SCTLR::read(), out->cpacr = CPACR::read(), out->ttbcr = TTBCR::read(), out->dacr = DACR::read();
    out->dfsr = DFSR::read(), out->ifsr = IFSR::read(), out->adfsr = ADFSR::read(), out->aifsr = AIFSR::read();
    out->dfar = DFAR::read(), out->ifar = IFAR::read();
    out->prrr = PRRR::read(), out->nmrr = NMRR::read(), out->amair0 = AMAIR0::read(), out->amair1 = AMAIR1::read();
    out->vbar = VBAR::read(), out->contextidr = CONTEXTIDR::read();
    out->tpidrurw = TPIDRURW::read(), out->tpidruro = TPIDRURO::read(), out->tpidrprw = TPIDRPRW::read();
    out->csselr = CSSELR::read(), out->cntkctl = CNTKCTL::read();
}
void load_system(const partita::SystemRegisters* in) {
    using namespace partita;
    TTBR0::write(in->ttbr0), TTBR1::write(in->ttbr1), PAR::write(in->par);
    SCTLR::write(in->sctlr), CPACR::write(in->cpacr), TTBCR::write(in->ttbcr), DACR::write(in->dacr);
    DFSR::write(in->dfsr), IFSR::write(in->ifsr), ADFSR::write(in->adfsr), AIFSR::write(in->aifsr);
    DFAR::write(in->dfar), IFAR::write(in->ifar);
    PRRR::write(in->prrr), NMRR::write(in->nmrr), AMAIR0::write(in->amair0), AMAIR1::write(in->amair1);
    VBAR::write(in->vbar), CONTEXTIDR::write(in->contextidr);
    TPIDRURW::write(in->tpidrurw), TPIDRURO::write(in->tpidruro), TPIDRPRW::write(in->tpidrprw);
    CSSELR::write(in->csselr), CNTKCTL::write(in->cntkctl);
}
void save_banked(partita::BankedRegisters* out) { *out = partita::fake_hardware.banked; }
void load_banked(const partita::BankedRegisters* in) { partita::fake_hardware.banked = *in; }
void save_vfp(partita::VfpRegisters* out) {
    out->d = partita::fake_hardware.vfp.d;
    out->fpscr = partita::fake_hardware.vfp.fpscr;
}
void load_vfp(const partita::VfpRegisters* in) {
    partita::fake_hardware.vfp.d = in->d;
    partita::fake_hardware.vfp.fpscr = in->fpscr;
}
bool drain_aborts() { return std::exchange(partita::fake_hardware.abort_pending, false); }
std::uint32_t read_fpexc() { return partita::fake_hardware.vfp.fpexc; }
void write_fpexc(std::uint32_t value) { partita::fake_hardware.vfp.fpexc = value; }
}
