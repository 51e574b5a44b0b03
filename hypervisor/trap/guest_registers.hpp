// A loaded vCPU's general registers, by the number that a syndrome gives and the mode that the guest was in.
#pragma once

#include <cstdint>

#include "arch/psr.hpp"
#include "banked.hpp"
#include "partition/vcpu.hpp"

namespace partita {

// r8 and above: some are in the frame, some in a bank of the guest's mode.
[[nodiscard, gnu::noinline]] inline std::uint32_t high_register(const Vcpu& vcpu, unsigned n) {
    const std::uint32_t mode = psr::Mode::get(read_spsr());
    if (n < 13 && mode != psr::fiq) return vcpu.r[n];
    const bool shared_lr = n == 14 && (mode == psr::usr || mode == psr::sys);
    if (n == 15) return 0;  // no syndrome names the PC (DDI 0406C B3.13.6)
    return shared_lr ? vcpu.r[13] : read_banked(mode, n);
}

[[gnu::noinline]] inline void set_high_register(Vcpu& vcpu, unsigned n, std::uint32_t value) {
    const std::uint32_t mode = psr::Mode::get(read_spsr());
    const bool shared_lr = n == 14 && (mode == psr::usr || mode == psr::sys);
    if (n < 13 && mode != psr::fiq)
        vcpu.r[n] = value;
    else if (shared_lr)
        vcpu.r[13] = value;
    else if (n != 15)
        write_banked(mode, n, value);
}

[[nodiscard]] inline std::uint32_t guest_register(const Vcpu& vcpu, unsigned n) { return n < 8 ? vcpu.r[n] : high_register(vcpu, n); }

inline void set_guest_register(Vcpu& vcpu, unsigned n, std::uint32_t value) {
    if (n < 8)
        vcpu.r[n] = value;
    else
        set_high_register(vcpu, n, value);
}

// The registers of User mode, whatever the mode is: those that a trap to Hyp finds in the frame, and SP.
[[nodiscard]] inline std::uint32_t user_register(const Vcpu& vcpu, unsigned n) {
    return n == 13 ? read_banked(psr::usr, 13) : vcpu.r[n == 14 ? 13 : n];
}
inline void set_user_register(Vcpu& vcpu, unsigned n, std::uint32_t value) {
    if (n == 13)
        write_banked(psr::usr, 13, value);
    else
        vcpu.r[n == 14 ? 13 : n] = value;
}

}  // namespace partita
