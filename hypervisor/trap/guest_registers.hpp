// A loaded vCPU's general registers, by the number that a syndrome gives and the mode that the guest was in.
#pragma once

#include <cstdint>

#include "arch/psr.hpp"
#include "banked.hpp"
#include "partition/vcpu.hpp"

namespace partita {

[[nodiscard]] inline std::uint32_t guest_register(const Vcpu& vcpu, unsigned n) {
    if (n < 8) return vcpu.r[n];
    const std::uint32_t mode = psr::Mode::get(read_spsr());
    if (n < 13 && mode != psr::fiq) return vcpu.r[n];
    const bool shared_lr = n == 14 && (mode == psr::usr || mode == psr::sys);
    return shared_lr ? vcpu.r[13] : read_banked(mode, n);
}

inline void set_guest_register(Vcpu& vcpu, unsigned n, std::uint32_t value) {
    if (n < 8) {
        vcpu.r[n] = value;
        return;
    }
    const std::uint32_t mode = psr::Mode::get(read_spsr());
    const bool shared_lr = n == 14 && (mode == psr::usr || mode == psr::sys);
    if (n < 13 && mode != psr::fiq)
        vcpu.r[n] = value;
    else if (shared_lr)
        vcpu.r[13] = value;
    else
        write_banked(mode, n, value);
}

}  // namespace partita
