#include "message/serve.hpp"

#include "machine/log.hpp"
#include "message/message_page.hpp"
#include "partition/fault.hpp"
#include "partition/system.hpp"
#include "schedule/schedule.hpp"

namespace partita {

using std::uint32_t;

namespace {

constexpr uint32_t kind_shift = 28, by_nobody = 0xff;
constexpr uint32_t release = uint32_t{PARTITA_ASK_RELEASE} << kind_shift;

[[nodiscard]] bool serves(const Partition& server) { return lives(server.phase.load(std::memory_order_acquire)); }

[[nodiscard]] std::span<VirtioDevice> devices() { return std::span{system().virtio}.first(system().virtio_count); }

void call_server(VirtioDevice& device) {
    Partition& server = *device.server;
    server.calls.fetch_or(1u << device.number, std::memory_order_seq_cst);
    if (serves(server)) server.distributor.pulse(server.description->serve_interrupt);
}

// The caller's device of that number.
[[nodiscard]] VirtioDevice* own_device(const Vcpu& vcpu, uint32_t number, std::int32_t& why) {
    why = PSCI_INVALID_PARAMETERS;
    if (number >= system().virtio_count) return nullptr;
    why = PSCI_DENIED;
    VirtioDevice& device = system().virtio[number];
    return device.server == vcpu.partition ? &device : nullptr;
}

void put(Vcpu& vcpu, uint32_t handle, uint32_t what, uint32_t value) { vcpu.r[1] = handle, vcpu.r[2] = what, vcpu.r[3] = value; }

// The next of what is wanted of a device: first that it is let go, as what follows is of the new life.
[[nodiscard]] bool take_from(Vcpu& vcpu, VirtioDevice& device) {
    if (device.unreleased.load(std::memory_order_acquire)) {
        put(vcpu, device.number | by_nobody << 8, release, 0);
        return true;
    }
    for (uint32_t asks = device.asks.load(std::memory_order_acquire); asks != 0; asks &= asks - 1) {
        const auto index = static_cast<uint32_t>(__builtin_ctz(asks));
        device.asks.fetch_and(~(1u << index), std::memory_order_acq_rel);
        Request& request = device.partition->vcpus[index].vcpu.request;
        const std::optional<Request::Taken> taken = request.take(device.number);
        if (!taken) continue;
        put(vcpu, device.number | index << 8 | taken->number << 16, taken->what, taken->value);
        return true;
    }
    const uint32_t queues = device.notified.exchange(0, std::memory_order_acq_rel);
    if (queues == 0) return false;
    put(vcpu, device.number, uint32_t{PARTITA_ASK_NOTIFY} << kind_shift, queues);
    return true;
}

// The vCPU waits for what it has asked.
void wait_for_server(Vcpu& vcpu, VirtioDevice& device) {
    wait_until(vcpu, timer::now() + device.patience);
    vcpu.cpu->reschedule = true;
    call_server(device);
    // Either the server's end sees the request, or this the end.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!serves(*device.server) && vcpu.request.fail()) post(vcpu, event::answer);
}

// Of the set bits, the next behind the one that had its turn last: a driver that never stops takes no other's turn.
[[nodiscard]] uint32_t next_after(uint32_t bits, uint32_t last) {
    const uint32_t behind = last >= 31 ? 0 : bits & ~((2u << last) - 1);
    return static_cast<uint32_t>(__builtin_ctz(behind != 0 ? behind : bits));
}

// It has let go of what an earlier life had: the next one goes on.
void released(Vcpu& vcpu, VirtioDevice& device) {
    if (!device.unreleased.exchange(false, std::memory_order_acq_rel)) return answer(vcpu, PARTITA_WRONG_STATE);
    Vcpu& first = device.partition->vcpus[0].vcpu;
    if (first.request.come_about(device.number, release)) post(first, event::answer);
    answer(vcpu, PSCI_SUCCESS);
}

}  // namespace

VirtioDevice* device_in(const Partition& partition, uint32_t slot) {
    for (VirtioDevice& device : partition.virtio)
        if (device.description->slot == slot) return &device;
    return nullptr;
}

bool write_at_once(VirtioDevice& device, uint32_t offset, uint32_t value) {
    if (offset == virtio_mmio::InterruptACK) {
        device.status.fetch_and(~value, std::memory_order_acq_rel);
        return true;
    }
    if (offset != virtio_mmio::QueueNotify) return false;
    if (device.notified.fetch_or(1u << (value & 31u), std::memory_order_acq_rel) == 0) call_server(device);
    return true;
}

void ask_server(Vcpu& vcpu, VirtioDevice& device, uint32_t what, uint32_t value, uint32_t syndrome) {
    vcpu.request.ask(device.number, what, value, syndrome);
    device.asks.fetch_or(1u << vcpu.index, std::memory_order_seq_cst);
    wait_for_server(vcpu, device);
}

bool settled(Vcpu& vcpu) {
    Request& request = vcpu.request;
    if (!request.finish()) return false;
    VirtioDevice& device = system().virtio[request.device()];
    if (!request.failed()) return true;
    if (!may_report(*vcpu.partition)) return true;
    LogLine("unserved")
        .key("partition", vcpu.partition->number)
        .key("vcpu", vcpu.index)
        .key("device", device.number)
        .key("server", device.server->number)
        .word("is", serves(*device.server) ? "late" : "off")
        .key("ms", device.description->timeout_us / 1000);
    return true;
}

void forget_drivers(Partition& partition) {
    for (VirtioDevice& device : partition.virtio) {
        device.asks.store(0, std::memory_order_relaxed);
        device.notified.store(0, std::memory_order_relaxed);
        device.status.store(0, std::memory_order_relaxed);
    }
}

void release_device(Partition& partition, std::size_t n) {
    VirtioDevice& device = partition.virtio[n];
    Vcpu& first = partition.vcpus[0].vcpu;
    first.request.ask(device.number, release, 0, 0);
    // A server that is not there now finds this before anything else of the device: it touches no memory before.
    device.unreleased.store(true, std::memory_order_seq_cst);
    if (serves(*device.server)) return wait_for_server(first, device);
    first.request.withdraw();
}

void leave_service(Partition& partition) {
    if (partition.description->serve_interrupt == 0) return;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (VirtioDevice& device : devices()) {
        if (device.server != &partition) continue;
        for (VcpuSlot& slot : device.partition->vcpus)
            if (slot.vcpu.request.fail(device.number)) post(slot.vcpu, event::answer);
    }
}

void enter_service(Partition& partition) {
    if (partition.description->serve_interrupt == 0) return;
    for (VirtioDevice& device : devices()) {
        if (device.server != &partition) continue;
        device.notified.store(~0u, std::memory_order_release);
        call_server(device);
    }
}

void take_request(Vcpu& vcpu) {
    Partition& server = *vcpu.partition;
    for (uint32_t n = 0; n < PARTITA_MAX_VIRTIO; ++n) {
        const uint32_t calls = server.calls.load(std::memory_order_acquire);
        if (calls == 0) return answer(vcpu, PARTITA_EMPTY);
        const uint32_t number = next_after(calls, server.called.load(std::memory_order_relaxed));
        server.calls.fetch_and(~(1u << number), std::memory_order_acq_rel);
        server.called.store(number, std::memory_order_relaxed);
        VirtioDevice& device = system().virtio[number];
        const bool found = take_from(vcpu, device);
        if (device.wants()) server.calls.fetch_or(1u << number, std::memory_order_acq_rel);
        if (!found) continue;
        // Whoever asks from here on calls, since the calls are looked at behind what was taken: so the server need not ask again.
        if (server.calls.load(std::memory_order_seq_cst) == 0) vcpu.r[2] |= PARTITA_ASK_LAST;
        return answer(vcpu, PSCI_SUCCESS);
    }
    server.distributor.pulse(server.description->serve_interrupt);  // requests came and went: it is to ask again
    answer(vcpu, PARTITA_EMPTY);
}

void answer_request(Vcpu& vcpu) {
    const uint32_t handle = vcpu.r[1], index = handle >> 8 & 0xffu;
    std::int32_t why = 0;
    VirtioDevice* const device = own_device(vcpu, handle & 0xffu, why);
    if (device == nullptr) return answer(vcpu, why);
    if (index == by_nobody) return released(vcpu, *device);
    if (index >= device->partition->vcpus.size()) return answer(vcpu, PSCI_INVALID_PARAMETERS);
    Vcpu& driver = device->partition->vcpus[index].vcpu;
    if (!driver.request.give(device->number, handle >> 16, vcpu.r[2])) return answer(vcpu, PARTITA_WRONG_STATE);
    post(driver, event::answer);
    answer(vcpu, PSCI_SUCCESS);
}

void raise_interrupt(Vcpu& vcpu) {
    constexpr uint32_t defined = 3;
    const uint32_t bits = vcpu.r[2];
    std::int32_t why = 0;
    VirtioDevice* const device = own_device(vcpu, vcpu.r[1], why);
    if (device == nullptr) return answer(vcpu, why);
    if (bits == 0 || (bits & ~defined) != 0) return answer(vcpu, PSCI_INVALID_PARAMETERS);
    if (serves(*device->partition)) {
        device->status.fetch_or(bits, std::memory_order_acq_rel);
        device->partition->distributor.pulse(device->description->interrupt);
    }
    answer(vcpu, PSCI_SUCCESS);
}

}  // namespace partita
