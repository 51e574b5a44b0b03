// Stage-2 aborts: emulated devices, and accesses to what the partition does not have.
#include "arch/psr.hpp"
#include "arch/registers.hpp"
#include "arch/syndrome.hpp"
#include "banked.hpp"
#include "barrier.hpp"
#include "partition/fault.hpp"
#include "partition/lifecycle.hpp"
#include "schedule/schedule.hpp"
#include "trace/recorder.hpp"
#include "trap/guest_registers.hpp"
#include "trap/handlers.hpp"
#include "trap/inject.hpp"

namespace partita {

using std::uint32_t;

namespace {

// HPFAR holds IPA[39:12] in bits [31:4].
[[nodiscard]] constexpr uint32_t page_of(uint32_t hpfar) { return hpfar >> 4; }

[[nodiscard]] const partita_trap_slot& slot_of(const Vcpu& vcpu, uint32_t page) { return vcpu.traps[page * vcpu.trap_multiplier >> 27]; }

[[nodiscard]] uint32_t read_device(Vcpu& vcpu, uint32_t device, uint32_t offset, unsigned size) {
    if (device == PARTITA_DEVICE_GICD) return vcpu.partition->distributor.read(vcpu.interrupts, offset, size);
    if (device == PARTITA_DEVICE_PL031) return vcpu.partition->clock.read(offset);
    return vcpu.partition->console.read(offset);
}

// The partition's first vCPU's CPU keeps its alarm.
void set_clock(Vcpu& vcpu, uint32_t offset, uint32_t value) {
    vcpu.partition->clock.write(offset, value);
    post(vcpu.partition->vcpus[0].vcpu, event::alarm);
}

void write_device(Vcpu& vcpu, uint32_t device, uint32_t offset, unsigned size, uint32_t value) {
    if (device == PARTITA_DEVICE_GICD)
        vcpu.partition->distributor.write(vcpu.interrupts, offset, size, value);
    else if (device == PARTITA_DEVICE_PL031)
        set_clock(vcpu, offset, value);
    else
        vcpu.partition->console.write(offset, value);
}

[[nodiscard]] constexpr uint32_t low_bytes(uint32_t value, unsigned size) { return size == 4 ? value : value & ((1u << size * 8) - 1); }

[[nodiscard]] constexpr uint32_t swap_bytes(uint32_t value, unsigned size) { return __builtin_bswap32(value) >> (32 - size * 8); }

[[nodiscard]] constexpr uint32_t extend(uint32_t value, unsigned size) {
    const unsigned unused = 32 - size * 8;
    return static_cast<uint32_t>(static_cast<std::int32_t>(value << unused) >> unused);
}

// The same of one word, out of line: what is frequent stays short.
[[nodiscard, gnu::noinline]] uint32_t read_other_word(Vcpu& vcpu, uint32_t device, uint32_t offset) {
    return read_device(vcpu, device, offset, 4);
}
[[gnu::noinline]] void write_other_word(Vcpu& vcpu, uint32_t device, uint32_t offset, uint32_t value) {
    write_device(vcpu, device, offset, 4, value);
}

// Accesses of any size and endianness.
[[gnu::noinline]] Outcome emulate(Vcpu& vcpu, DataAbort abort, uint32_t device, uint32_t offset) {
    const unsigned size = abort.bytes();
    const bool big_endian = psr::BigEndian::test(read_spsr());
    if (abort.write()) {
        const uint32_t value = low_bytes(guest_register(vcpu, abort.reg()), size);
        write_device(vcpu, device, offset, size, big_endian ? swap_bytes(value, size) : value);
        return Outcome::advance;
    }
    uint32_t value = low_bytes(read_device(vcpu, device, offset, size), size);
    if (big_endian) value = swap_bytes(value, size);
    set_guest_register(vcpu, abort.reg(), abort.sign_extend() ? extend(value, size) : value);
    return Outcome::advance;
}

// An aligned little-endian word, in the A32 instruction set: short enough to be part of the trap.
[[gnu::always_inline]] inline void emulate_word(Vcpu& vcpu, DataAbort abort, uint32_t device, uint32_t offset) {
    if (abort.write()) {
        const uint32_t value = guest_register(vcpu, abort.reg());
        if (device == PARTITA_DEVICE_GICD)
            vcpu.partition->distributor.write_word(vcpu.interrupts, offset, value);
        else
            write_other_word(vcpu, device, offset, value);
    } else {
        const uint32_t value = device == PARTITA_DEVICE_GICD    ? vcpu.partition->distributor.read_word(vcpu.interrupts, offset)
                               : device == PARTITA_DEVICE_PL011 ? vcpu.partition->console.read_word(offset)
                                                                : read_other_word(vcpu, device, offset);
        set_guest_register(vcpu, abort.reg(), value);
    }
}

// What the partition's description says becomes of a fault: an abort in the guest, or the partition's end.
Outcome punish(Vcpu& vcpu, const Fault& fault, Outcome injected) {
    const bool stop = vcpu.partition->is(PARTITA_ON_FAULT_STOP), restart = vcpu.partition->is(PARTITA_ON_FAULT_RESTART);
    trace::record(*vcpu.cpu, PARTITA_TRACE_FAULT, fault.address, static_cast<uint32_t>(fault.ipa >> 8));
    report(vcpu, fault, stop ? "stop" : restart ? "restart" : "abort");
    if (!stop && !restart) return injected;
    end(*vcpu.partition, stop ? Ending::off : Ending::restart);
    return Outcome::resume;  // it does not: end() posted a stop to this vCPU, which is served before it could
}

// The IPA page of an access whose HPFAR is UNKNOWN (B3.13.6), by the guest's own translation. False: it has changed since.
[[nodiscard]] bool translate(uint32_t address, uint32_t& page) {
    constexpr std::uint64_t failed = 1;
    const std::uint64_t guests = PAR::read();
    ATS1CPR::write(address);
    isb();
    const std::uint64_t result = PAR::read();
    PAR::write(guests);
    if ((result & failed) != 0) return false;
    page = static_cast<uint32_t>(result >> 12 & 0xfff'ffffu);
    return true;
}

// Everything but a plain access to an emulated device.
[[gnu::noinline]] Outcome on_rare_data_abort(Vcpu& vcpu, DataAbort abort) {
    const uint32_t address = HDFAR::read();
    Fault fault{abort.write() ? "write" : "read", abort.described() ? abort.bytes() : 0, address, 0, "unmapped"};
    if (abort.external()) {
        fault.reason = "external";
        return punish(vcpu, fault, Outcome::data_abort);
    }
    uint32_t page = page_of(HPFAR::read());
    if (abort.permission_fault() && !abort.table_walk()) {
        if (!translate(address, page)) return Outcome::resume;
        fault.reason = "permission";
    }
    fault.ipa = static_cast<std::uint64_t>(page) << 12 | (abort.table_walk() ? 0 : address & 0xfffu);
    if (abort.table_walk()) {
        fault.cause = "table-walk";
        return punish(vcpu, fault, Outcome::data_abort);
    }
    const partita_trap_slot& slot = slot_of(vcpu, page);
    if (slot.device == PARTITA_DEVICE_NONE || slot.page != page) return punish(vcpu, fault, Outcome::data_abort);
    if (abort.cache_maintenance()) {
        advance_pc(true);  // an MCR is 4 bytes in either instruction set; IL is not valid here
        return Outcome::resume;
    }
    fault.reason = "no-syndrome";
    return punish(vcpu, fault, Outcome::data_abort);
}

[[gnu::noinline]] Outcome on_other_data_abort(Vcpu& vcpu, DataAbort abort) {
    if (!abort.plain()) return on_rare_data_abort(vcpu, abort);
    const uint32_t page = page_of(HPFAR::read()), address = HDFAR::read();
    const partita_trap_slot& slot = slot_of(vcpu, page);
    const bool aligned = (address & (abort.bytes() - 1)) == 0;
    if (slot.page != page || slot.device == PARTITA_DEVICE_NONE || !aligned) return on_rare_data_abort(vcpu, abort);
    return emulate(vcpu, abort, slot.device, address & 0xfffu);
}

}  // namespace

Outcome on_data_abort(Vcpu& vcpu, DataAbort abort) {
    if (abort.plain_word()) {
        const uint32_t page = page_of(HPFAR::read()), address = HDFAR::read();
        const partita_trap_slot& slot = slot_of(vcpu, page);
        const bool simple = (address & 3u) == 0 && (trapped_state() & (psr::BigEndian::mask | psr::Thumb::mask)) == 0;
        if (slot.page == page && simple) {
            emulate_word(vcpu, abort, slot.device, address & 0xfffu);
            write_elr(read_elr() + 4);
            return Outcome::resume;
        }
    }
    return on_other_data_abort(vcpu, abort);
}

void asynchronous_abort(Vcpu& vcpu) {
    const bool restart = vcpu.partition->is(PARTITA_ON_FAULT_RESTART);
    report(vcpu, {.cause = "asynchronous-abort", .reason = "external"}, restart ? "restart" : "stop");
    end(*vcpu.partition, restart ? Ending::restart : Ending::off);
}

[[gnu::noinline]] Outcome on_prefetch_abort(Vcpu& vcpu, DataAbort abort) {
    const uint32_t address = HIFAR::read();
    Fault fault{abort.table_walk() ? "table-walk" : "fetch", 0, address, 0, abort.permission_fault() ? "permission" : "unmapped"};
    if (abort.external()) {
        fault.reason = "external";
        return punish(vcpu, fault, Outcome::prefetch_abort);
    }
    uint32_t page = page_of(HPFAR::read());
    if (abort.permission_fault() && !abort.table_walk() && !translate(address, page)) return Outcome::resume;
    fault.ipa = static_cast<std::uint64_t>(page) << 12 | (abort.table_walk() ? 0 : address & 0xfffu);
    return punish(vcpu, fault, Outcome::prefetch_abort);
}

}  // namespace partita
