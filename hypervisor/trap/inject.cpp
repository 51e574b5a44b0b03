#include "trap/inject.hpp"

#include "arch/psr.hpp"
#include "arch/registers.hpp"
#include "banked.hpp"

namespace partita {

using std::uint32_t;

namespace {

using SctlrVectors = Field<uint32_t, 13>;
using SctlrEndian = Field<uint32_t, 25>;
using SctlrThumb = Field<uint32_t, 30>;
using Extended = Field<uint32_t, 31>;  // TTBCR.EAE

// The lasting part of taking an exception: SPSR and LR of the mode, the new CPSR, the vector.
void enter(uint32_t mode, uint32_t vector, uint32_t return_offset, bool mask_aborts) {
    const uint32_t before = read_spsr();
    const uint32_t control = SCTLR::read();
    write_spsr_of(mode, before);
    write_banked(mode, 14, read_elr() + return_offset);
    uint32_t now =
        before & ~(psr::Mode::mask | psr::Thumb::mask | psr::BigEndian::mask | psr::ItHigh::mask | psr::ItLow::mask | psr::Jazelle::mask);
    now |= mode | psr::IrqMask::mask | (mask_aborts ? psr::AbortMask::mask : 0);
    now |= psr::Thumb::make(SctlrThumb::get(control)) | psr::BigEndian::make(SctlrEndian::get(control));
    write_spsr(now);
    write_elr((SctlrVectors::test(control) ? 0xffff0000u : VBAR::read()) + vector);
}

// Fault status "synchronous external abort", in the format that the guest's translation regime has.
[[nodiscard]] uint32_t external_abort() {
    constexpr uint32_t long_format = 1u << 9 | 0x10, short_format = 0x08;
    return Extended::test(TTBCR::read()) ? long_format : short_format;
}

}  // namespace

void advance_thumb(bool long_instruction) {
    write_elr(read_elr() + (long_instruction ? 4 : 2));
    if (const uint32_t before = read_spsr(); it_state(before) != 0) write_spsr(advance_it(before));
}

[[gnu::noinline]] void inject_undefined() {
    const bool thumb = psr::Thumb::test(read_spsr());
    enter(psr::und, 0x04, thumb ? 2 : 4, false);
}

[[gnu::noinline]] void inject_data_abort(uint32_t address, bool write) { inject_data_abort(address, write, external_abort()); }

[[gnu::noinline]] void inject_data_abort(uint32_t address, bool write, uint32_t status) {
    constexpr uint32_t write_not_read = 1u << 11;
    DFSR::write(status | (write ? write_not_read : 0));
    DFAR::write(address);
    enter(psr::abt, 0x10, 8, true);
}

[[gnu::noinline]] void inject_prefetch_abort(uint32_t address) {
    IFSR::write(external_abort());
    IFAR::write(address);
    enter(psr::abt, 0x0c, 4, true);
}

}  // namespace partita
