// The register file of a distributor, as one vCPU sees it.
#pragma once

#include <cstdint>

#include "interrupt/virtual_gic.hpp"

namespace partita {

// One access by one vCPU; private interrupts are that vCPU's. However many interrupts it changes, each vCPU is told once, at its end.
class DistributorRegisters {
public:
    DistributorRegisters(Distributor& distributor, VcpuInterrupts& by) : d_(distributor), by_(by) {}
    DistributorRegisters(const DistributorRegisters&) = delete;
    DistributorRegisters& operator=(const DistributorRegisters&) = delete;
    ~DistributorRegisters() {
        if (to_tell_ != 0) tell();
    }

    [[nodiscard]] std::uint32_t read_word(std::uint32_t offset);
    void write_word(std::uint32_t offset, std::uint32_t value);
    [[nodiscard]] std::uint32_t read_byte(std::uint32_t offset);
    void write_byte(std::uint32_t offset, std::uint32_t value);

    // The same for what is in memory, or in this vCPU's list registers.
    [[nodiscard]] std::uint32_t carry_out(std::uint32_t base, std::uint32_t first, std::uint32_t bits, bool write);

private:
    friend class Distributor;

    template <typename Read>
    std::uint32_t gather(std::uint32_t first, Read&& read) {
        std::uint32_t value = 0;
        for (std::uint32_t n = 0; n < 32 && first + n < d_.interrupts(); ++n) value |= static_cast<std::uint32_t>(read(first + n)) << n;
        return value;
    }
    template <typename Write>
    void scatter(std::uint32_t first, std::uint32_t bits, Write&& write) {
        for (; bits != 0; bits &= bits - 1) {
            const std::uint32_t id = first + static_cast<std::uint32_t>(__builtin_ctz(bits));
            if (id < d_.interrupts()) write(id);
        }
    }

    void enabled(std::uint32_t id, std::uint32_t before);
    void disable(std::uint32_t id);
    void set_pending(std::uint32_t id);
    void clear_pending(std::uint32_t id);
    void set_active(std::uint32_t id);
    void clear_active(std::uint32_t id);
    // The pending or active state of SPIs and private interrupts, wherever it is: the bits of first to first + 31 that are set, or are to
    // be changed. base: ISPENDR, ICPENDR, ISACTIVER or ICACTIVER.
    [[nodiscard]] std::uint32_t access_state(std::uint32_t base, std::uint32_t first, std::uint32_t bits, bool write);
    [[nodiscard]] bool pending(std::uint32_t id);
    [[nodiscard]] bool active(std::uint32_t id);
    [[nodiscard]] std::uint32_t read_configuration(std::uint32_t first);
    void write_configuration(std::uint32_t first, std::uint32_t value);
    void write_target(std::uint32_t id, std::uint32_t targets);
    void write_control(std::uint32_t value);
    // Whoever may hold id, whose word is `word` now, is to look at it at the access's end.
    void look_again(std::uint32_t id, std::uint32_t word);
    void look_at(unsigned vcpu, std::uint32_t id);
    void tell();
    // The list register of this vCPU that holds id, live, and its value.
    [[nodiscard]] int held(std::uint32_t id, std::uint32_t& value);

    Distributor& d_;
    VcpuInterrupts& by_;
    std::uint32_t to_tell_ = 0;  // a bit for each vCPU
};

}  // namespace partita
