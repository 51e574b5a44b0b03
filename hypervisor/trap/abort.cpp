// Stage-2 aborts: emulated devices, and accesses to what the partition does not have.
#include "arch/psr.hpp"
#include "arch/registers.hpp"
#include "arch/syndrome.hpp"
#include "banked.hpp"
#include "barrier.hpp"
#include "partition/fault.hpp"
#include "partition/lifecycle.hpp"
#include "schedule/cpu.hpp"
#include "trace/recorder.hpp"
#include "trap/device_access.hpp"
#include "trap/execute.hpp"
#include "trap/forward.hpp"
#include "trap/guest_memory.hpp"
#include "trap/guest_registers.hpp"
#include "trap/handlers.hpp"
#include "trap/inject.hpp"

namespace partita {

using std::uint32_t;

namespace {

// HPFAR holds IPA[39:12] in bits [31:4].
[[nodiscard]] constexpr uint32_t page_of(uint32_t hpfar) { return hpfar >> 4; }

// Accesses of any size and endianness.
[[gnu::noinline]] Outcome emulate(Vcpu& vcpu, DataAbort abort, uint32_t device, uint32_t offset) {
    if (device == PARTITA_DEVICE_VIRTIO) return access_virtio(vcpu, abort, offset);
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

// An aligned little-endian word, in the A32 instruction set, of what is accessed most: short enough to be part of the trap.
[[nodiscard, gnu::always_inline]] inline bool emulate_word(Vcpu& vcpu, DataAbort abort, uint32_t device, uint32_t offset) {
    if (device == PARTITA_DEVICE_GICD) {
        if (abort.write())
            vcpu.partition->distributor.write_word(vcpu.interrupts, offset, guest_register(vcpu, abort.reg()));
        else
            set_guest_register(vcpu, abort.reg(), vcpu.partition->distributor.read_word(vcpu.interrupts, offset));
        return true;
    }
    if (device != PARTITA_DEVICE_PL011) return false;
    if (abort.write())
        vcpu.partition->console.write(offset, guest_register(vcpu, abort.reg()));
    else
        set_guest_register(vcpu, abort.reg(), vcpu.partition->console.read_word(offset));
    return true;
}

void end_by_fault(Vcpu& vcpu) {
    vcpu.partition->last_words.culprit.store(vcpu.index + 1, std::memory_order_relaxed);
    end_by_fault(*vcpu.partition);
}

// What the partition's description says becomes of a fault: an abort in the guest, or the partition's end.
Outcome punish(Vcpu& vcpu, const Fault& fault, Outcome injected) {
    trace::record(*vcpu.cpu, PARTITA_TRACE_FAULT, fault.address, static_cast<uint32_t>(fault.ipa >> 8));
    report(vcpu, fault, policy_of(*vcpu.partition));
    if (!vcpu.partition->is(fault_ends)) return injected;
    end_by_fault(vcpu);
    return Outcome::resume;  // it does not: end() posted a stop to this vCPU, which is served before it could
}

// The IPA page of an access; where HPFAR is UNKNOWN (B3.13.6), by the guest's own translation. False: that has changed since.
[[nodiscard]] bool find_page(DataAbort abort, uint32_t address, uint32_t& page) {
    page = page_of(HPFAR::read());
    if (!abort.permission_fault() || abort.table_walk()) return true;
    Ipa ipa;
    if (translate(address, {false, true}, ipa) != 0) return false;
    page = static_cast<uint32_t>(ipa.value >> 12);
    return true;
}

// The same of a device that another partition serves: one register's access can wait for the answer.
Outcome forward_undescribed(Vcpu& vcpu, DataAbort abort, Fault fault) {
    const std::optional<DataAbort> described = describe_instruction(vcpu, abort);
    if (!described) {
        fault.reason = "no-syndrome";
        return punish(vcpu, fault, Outcome::data_abort);
    }
    const Outcome outcome = access_virtio(vcpu, *described, static_cast<uint32_t>(fault.ipa) - PARTITA_VIRTIO);
    if (outcome != Outcome::advance) return outcome;
    advance_pc(Syndrome{described->raw}.long_instruction());
    return Outcome::resume;
}

// What the syndrome does not describe: the instruction is read and carried out.
Outcome emulate_undescribed(Vcpu& vcpu, Fault fault) {
    ElementFault element;
    switch (emulate_instruction(vcpu, element)) {
        case Executed::done:
        case Executed::again: return Outcome::resume;
        case Executed::unknown: fault.reason = "no-syndrome"; return punish(vcpu, fault, Outcome::data_abort);
        case Executed::refused_by_guest: inject_data_abort(element.address, element.write, element.status); return Outcome::resume;
        case Executed::refused: break;
    }
    HDFAR::write(element.address);  // as if the CPU itself had stopped at that element
    return punish(vcpu, {element.write ? "write" : "read", element.size, element.address, element.ipa, element.reason},
                  Outcome::data_abort);
}

// Everything but a plain access to an emulated device.
[[gnu::noinline]] Outcome on_rare_data_abort(Vcpu& vcpu, DataAbort abort) {
    const uint32_t address = HDFAR::read();
    Fault fault{abort.write() ? "write" : "read", abort.described() ? abort.bytes() : 0, address, 0, "unmapped"};
    if (abort.external()) {
        fault.reason = "external";
        return punish(vcpu, fault, Outcome::data_abort);
    }
    uint32_t page = 0;
    if (!find_page(abort, address, page)) return Outcome::resume;
    if (abort.permission_fault() && !abort.table_walk()) fault.reason = "permission";
    fault.ipa = static_cast<std::uint64_t>(page) << 12 | (abort.table_walk() ? 0 : address & 0xfffu);
    if (abort.table_walk()) {
        fault.cause = "table-walk";
        return punish(vcpu, fault, Outcome::data_abort);
    }
    if (emulated_at(vcpu, page) == PARTITA_DEVICE_NONE) return punish(vcpu, fault, Outcome::data_abort);
    if (abort.cache_maintenance()) {
        advance_pc(true);  // an MCR is 4 bytes in either instruction set; IL is not valid here
        return Outcome::resume;
    }
    if (emulated_at(vcpu, page) == PARTITA_DEVICE_VIRTIO) return forward_undescribed(vcpu, abort, fault);
    return emulate_undescribed(vcpu, fault);
}

[[gnu::noinline]] Outcome on_other_data_abort(Vcpu& vcpu, DataAbort abort) {
    if (!abort.plain()) return on_rare_data_abort(vcpu, abort);
    const uint32_t page = page_of(HPFAR::read()), address = HDFAR::read();
    const uint32_t device = emulated_at(vcpu, page);
    const bool aligned = (address & (abort.bytes() - 1)) == 0;
    // Where an erratum may have named the wrong register, the instruction itself is asked.
    const bool doubtful = vcpu.cpu->wrong_thumb_store && abort.write() && psr::Thumb::test(trapped_state());
    if (device == PARTITA_DEVICE_NONE || !aligned || doubtful) return on_rare_data_abort(vcpu, abort);
    return emulate(vcpu, abort, device, offset_in(device, page, address));
}

}  // namespace

Outcome on_data_abort(Vcpu& vcpu, DataAbort abort) {
    if (abort.plain_word()) {
        const uint32_t page = page_of(HPFAR::read()), address = HDFAR::read();
        const partita_trap_slot& slot = slot_of(vcpu, page);
        const bool simple = (address & 3u) == 0 && (trapped_state() & (psr::BigEndian::mask | psr::Thumb::mask)) == 0;
        if (slot.page == page && simple && emulate_word(vcpu, abort, slot.device, address & 0xfffu)) {
            write_elr(read_elr() + 4);
            return Outcome::resume;
        }
    }
    return on_other_data_abort(vcpu, abort);
}

void asynchronous_abort(Vcpu& vcpu) {
    const std::string_view action = vcpu.partition->is(fault_ends) ? policy_of(*vcpu.partition) : "stop";
    report(vcpu, {.cause = "asynchronous-abort", .reason = "external"}, action);
    end_by_fault(vcpu);
}

[[gnu::noinline]] Outcome on_prefetch_abort(Vcpu& vcpu, DataAbort abort) {
    const uint32_t address = HIFAR::read();
    Fault fault{abort.table_walk() ? "table-walk" : "fetch", 0, address, 0, abort.permission_fault() ? "permission" : "unmapped"};
    if (abort.external()) {
        fault.reason = "external";
        return punish(vcpu, fault, Outcome::prefetch_abort);
    }
    uint32_t page = 0;
    if (!find_page(abort, address, page)) return Outcome::resume;
    fault.ipa = static_cast<std::uint64_t>(page) << 12 | (abort.table_walk() ? 0 : address & 0xfffu);
    return punish(vcpu, fault, Outcome::prefetch_abort);
}

}  // namespace partita
