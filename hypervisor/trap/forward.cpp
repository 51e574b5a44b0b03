#include "trap/forward.hpp"

#include "banked.hpp"
#include "message/serve.hpp"
#include "partita/hypercall.h"
#include "partition/system.hpp"
#include "trap/device_access.hpp"
#include "trap/guest_registers.hpp"
#include "trap/inject.hpp"

namespace partita {

using std::uint32_t;

namespace {

[[nodiscard]] uint32_t ordered(uint32_t value, unsigned size) {
    return psr::BigEndian::test(read_spsr()) ? swap_bytes(value, size) : value;
}

void put_value(Vcpu& vcpu, DataAbort abort, uint32_t value) {
    const unsigned size = abort.bytes();
    value = ordered(low_bytes(value, size), size);
    set_guest_register(vcpu, abort.reg(), abort.sign_extend() ? extend(value, size) : value);
}

// Of a slot without a device (§4.2.2.2): a driver finds that there is none.
[[nodiscard]] uint32_t read_empty(uint32_t offset) {
    if (offset == virtio_mmio::MagicValue) return virtio_mmio::magic;
    return offset == virtio_mmio::Version ? 2 : 0;
}

[[nodiscard]] uint32_t what(partita_ask kind, uint32_t offset, unsigned size) { return uint32_t{kind} << 28 | size << 16 | offset; }

}  // namespace

Outcome access_virtio(Vcpu& vcpu, DataAbort abort, uint32_t offset) {
    VirtioDevice* const device = device_in(*vcpu.partition, offset / PARTITA_VIRTIO_SIZE);
    const uint32_t at = offset % PARTITA_VIRTIO_SIZE;
    const unsigned size = abort.bytes();
    if (abort.write()) {
        const uint32_t value = ordered(low_bytes(guest_register(vcpu, abort.reg()), size), size);
        if (device == nullptr || (size == 4 && write_at_once(*device, at, value))) return Outcome::advance;
        if (at == virtio_mmio::Status && value == 0) device->status.store(0, std::memory_order_release);  // a reset
        ask_server(vcpu, *device, what(PARTITA_ASK_WRITE, at, size), value, abort.raw);
        return Outcome::resume;
    }
    const std::optional<uint32_t> value = device == nullptr ? read_empty(at) : device->read(at);
    if (value) {
        put_value(vcpu, abort, size == 4 ? *value : 0);
        return Outcome::advance;
    }
    ask_server(vcpu, *device, what(PARTITA_ASK_READ, at, size), 0, abort.raw);
    return Outcome::resume;
}

void finish_access(Vcpu& vcpu) {
    const DataAbort abort{vcpu.request.syndrome()};
    if (!abort.write()) put_value(vcpu, abort, vcpu.request.answer());
    advance_pc(Syndrome{abort.raw}.long_instruction());
}

}  // namespace partita
