// The Hyp Syndrome Register as values (ARM DDI 0406C.d B3.13.6).
#pragma once

#include <cstdint>

#include "arch/bits.hpp"

namespace partita {

enum class TrapClass : std::uint32_t {
    unknown = 0x00,
    wfi_wfe = 0x01,
    cp15_32 = 0x03,
    cp15_64 = 0x04,
    cp14_32 = 0x05,
    cp14_load_store = 0x06,
    coprocessor_access = 0x07,  // HCPTR: cp0-cp13
    vmrs = 0x08,                // CP10 ID registers
    jazelle = 0x09,
    bxj = 0x0a,
    cp14_64 = 0x0c,
    svc_from_hyp = 0x11,
    hvc = 0x12,
    smc = 0x13,
    prefetch_abort = 0x20,
    prefetch_abort_hyp = 0x21,
    data_abort = 0x24,
    data_abort_hyp = 0x25,
};

struct Syndrome {
    std::uint32_t raw = 0;

    using Class = Field<std::uint32_t, 31, 26>;
    using Long = Field<std::uint32_t, 25>;
    using ConditionValid = Field<std::uint32_t, 24>;
    using Condition = Field<std::uint32_t, 23, 20>;
    using ForEvent = Field<std::uint32_t, 0>;

    [[nodiscard]] constexpr TrapClass trap_class() const { return static_cast<TrapClass>(Class::get(raw)); }
    [[nodiscard]] constexpr bool long_instruction() const { return Long::test(raw); }
    [[nodiscard]] constexpr bool condition_valid() const { return ConditionValid::test(raw); }
    [[nodiscard]] constexpr std::uint32_t condition() const { return Condition::get(raw); }

    // Of a trapped WFI or WFE (ISS bit 0): it was WFE.
    [[nodiscard]] constexpr bool for_event() const { return ForEvent::test(raw); }
    [[nodiscard]] constexpr bool always() const {
        constexpr std::uint32_t al = 14;
        return (raw & (ConditionValid::mask | Condition::mask)) == (ConditionValid::mask | Condition::make(al));
    }
};

// ISS of a data abort from a lower level.
struct DataAbort {
    std::uint32_t raw;

    using Valid = Field<std::uint32_t, 24>;
    using Size = Field<std::uint32_t, 23, 22>;
    using SignExtend = Field<std::uint32_t, 21>;
    using Register = Field<std::uint32_t, 19, 16>;
    using External = Field<std::uint32_t, 9>;
    using CacheMaintenance = Field<std::uint32_t, 8>;
    using TableWalk = Field<std::uint32_t, 7>;
    using Write = Field<std::uint32_t, 6>;
    using Status = Field<std::uint32_t, 5, 0>;
    static_assert(disjoint<Valid, Size, SignExtend, Register, External, CacheMaintenance, TableWalk, Write, Status>);

    static constexpr std::uint32_t kind_mask = Valid::mask | CacheMaintenance::mask | TableWalk::mask | 0x3cu;
    static constexpr std::uint32_t kind_plain = Valid::mask | 0x04u;

    [[nodiscard]] constexpr bool described() const { return Valid::test(raw) && Size::get(raw) != 3 && Register::get(raw) != 15; }
    // A load or store that the syndrome describes, and that found no translation: what a device access is.
    [[nodiscard]] constexpr bool plain() const {
        return (raw & kind_mask) == kind_plain && Size::get(raw) != 3 && Register::get(raw) != 15;
    }
    // The same of one word, by far the most frequent: one comparison. Its register may be any number.
    [[nodiscard]] constexpr bool plain_word() const { return (raw & (kind_mask | Size::mask)) == (kind_plain | Size::make(2)); }
    [[nodiscard]] constexpr unsigned bytes() const { return 1u << Size::get(raw); }
    [[nodiscard]] constexpr unsigned reg() const { return Register::get(raw); }
    [[nodiscard]] constexpr bool sign_extend() const { return SignExtend::test(raw); }
    [[nodiscard]] constexpr bool write() const { return Write::test(raw); }
    [[nodiscard]] constexpr bool table_walk() const { return TableWalk::test(raw); }
    [[nodiscard]] constexpr bool cache_maintenance() const { return CacheMaintenance::test(raw); }
    // HPFAR holds the IPA for translation faults and for a fault in a stage-1 walk, but not for other permission faults (B3.13.6).
    [[nodiscard]] constexpr bool translation_fault() const { return (Status::get(raw) & 0x3cu) == 0x04; }
    [[nodiscard]] constexpr bool permission_fault() const { return (Status::get(raw) & 0x3cu) == 0x0c; }
    // Neither: an external abort or a parity error, of which nothing but the virtual address is known.
    [[nodiscard]] constexpr bool external() const { return !translation_fault() && !permission_fault(); }
};

// ISS of a trapped MCR or MRC to CP14 or CP15, and of MCRR/MRRC.
struct CoprocessorAccess {
    std::uint32_t raw;

    using Opc2 = Field<std::uint32_t, 19, 17>;
    using Opc1 = Field<std::uint32_t, 16, 14>;
    using Crn = Field<std::uint32_t, 13, 10>;
    using Rt = Field<std::uint32_t, 8, 5>;
    using Crm = Field<std::uint32_t, 4, 1>;
    using Read = Field<std::uint32_t, 0>;
    using Opc1Long = Field<std::uint32_t, 19, 16>;
    using Rt2Long = Field<std::uint32_t, 13, 10>;

    [[nodiscard]] static constexpr std::uint32_t key(unsigned opc1, unsigned crn, unsigned crm, unsigned opc2) {
        return Opc1::make(opc1) | Crn::make(crn) | Crm::make(crm) | Opc2::make(opc2);
    }
    // The whole syndrome of an unconditional 32-bit MRC of this register from CP15, apart from Rt.
    [[nodiscard]] static constexpr std::uint32_t always_read(std::uint32_t key) {
        constexpr std::uint32_t always = 14;
        return Syndrome::Class::make(static_cast<std::uint32_t>(TrapClass::cp15_32)) | Syndrome::Long::mask |
               Syndrome::ConditionValid::mask | Syndrome::Condition::make(always) | key | Read::mask;
    }
    [[nodiscard]] constexpr std::uint32_t key() const { return raw & (Opc1::mask | Crn::mask | Crm::mask | Opc2::mask); }
    [[nodiscard]] static constexpr std::uint32_t key64(unsigned opc1, unsigned crm) { return Opc1Long::make(opc1) | Crm::make(crm); }
    [[nodiscard]] constexpr std::uint32_t key64() const { return raw & (Opc1Long::mask | Crm::mask); }
    [[nodiscard]] constexpr unsigned rt() const { return Rt::get(raw); }
    [[nodiscard]] constexpr unsigned rt2() const { return Rt2Long::get(raw); }
    [[nodiscard]] constexpr bool read() const { return Read::test(raw); }
};

}  // namespace partita
