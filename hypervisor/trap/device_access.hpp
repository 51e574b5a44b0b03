// An access to an emulated device of the vCPU's partition: which device a page is, and its registers.
#pragma once

#include <cstdint>

#include "message/channel.hpp"
#include "partition/system.hpp"
#include "schedule/schedule.hpp"

namespace partita {

// The slot where page (IPA[39:12]) would be; it is that page's if its `page` says so. The tool chose the multiplier so that no two collide.
[[nodiscard]] inline const partita_trap_slot& slot_of(const Vcpu& vcpu, std::uint32_t page) {
    return vcpu.traps[page * vcpu.trap_multiplier >> 27];
}

// What is emulated at a page: an enum partita_device.
[[nodiscard]] inline std::uint32_t emulated_at(const Vcpu& vcpu, std::uint32_t page) {
    const partita_trap_slot& slot = slot_of(vcpu, page);
    if (slot.page == page) return slot.device;
    constexpr std::uint32_t first = PARTITA_PCI_CONFIG >> 12, pages = PARTITA_PCI_CONFIG_SIZE >> 12;
    return page - first < pages && !vcpu.partition->masters.empty() ? PARTITA_DEVICE_PCI : PARTITA_DEVICE_NONE;
}

// Where in a device an address of this page is. All of PCI's configuration space is one, and all slots of virtio.
[[nodiscard]] inline std::uint32_t offset_in(std::uint32_t device, std::uint32_t page, std::uint32_t address) {
    const std::uint32_t offset = address & 0xfffu;
    if (device == PARTITA_DEVICE_PCI) return (page << 12 | offset) - PARTITA_PCI_CONFIG;
    return device == PARTITA_DEVICE_VIRTIO ? (page << 12 | offset) - PARTITA_VIRTIO : offset;
}

// Whether its registers can be accessed by the byte; of others, what lies beside the lowest byte has no effect of its own.
[[nodiscard]] inline bool has_bytes(std::uint32_t device) { return device == PARTITA_DEVICE_GICD || device == PARTITA_DEVICE_PCI; }

// Out of line: what is frequent stays short.
[[nodiscard, gnu::noinline]] inline std::uint32_t read_device(Vcpu& vcpu, std::uint32_t device, std::uint32_t offset, unsigned size) {
    if (device == PARTITA_DEVICE_GICD) return vcpu.partition->distributor.read(vcpu.interrupts, offset, size);
    if (device == PARTITA_DEVICE_PL031) return vcpu.partition->clock.read(offset);
    if (device == PARTITA_DEVICE_SP805) return vcpu.partition->watchdog.read(offset);
    if (device == PARTITA_DEVICE_PL061) return vcpu.partition->gpio.read(offset);
    if (device == PARTITA_DEVICE_PCI) return read_config(*vcpu.partition, offset, size);
    if (device == PARTITA_DEVICE_CONTROL) return system().control.read(offset);
    return vcpu.partition->console.read(offset);
}

// The partition's first vCPU's CPU keeps its alarm, and its watchdog's.
inline void set_clock(Vcpu& vcpu, std::uint32_t device, std::uint32_t offset, std::uint32_t value) {
    if (device == PARTITA_DEVICE_SP805)
        vcpu.partition->watchdog.write(offset, value);
    else
        vcpu.partition->clock.write(offset, value);
    post(vcpu.partition->vcpus[0].vcpu, event::alarm);
}

[[gnu::noinline]] inline void write_device(Vcpu& vcpu, std::uint32_t device, std::uint32_t offset, unsigned size, std::uint32_t value) {
    if (device == PARTITA_DEVICE_GICD)
        vcpu.partition->distributor.write(vcpu.interrupts, offset, size, value);
    else if (device == PARTITA_DEVICE_PL031 || device == PARTITA_DEVICE_SP805)
        set_clock(vcpu, device, offset, value);
    else if (device == PARTITA_DEVICE_PL061)
        ring_lines(*vcpu.partition, vcpu.partition->gpio.write(offset, value));
    else if (device == PARTITA_DEVICE_PCI)
        write_config(*vcpu.partition, offset, size, value);
    else if (device == PARTITA_DEVICE_CONTROL)
        system().control.write(offset, value);
    else
        vcpu.partition->console.write(offset, value);
}

[[nodiscard]] constexpr std::uint32_t low_bytes(std::uint32_t value, unsigned size) {
    return size == 4 ? value : value & ((1u << size * 8) - 1);
}

[[nodiscard]] constexpr std::uint32_t swap_bytes(std::uint32_t value, unsigned size) { return __builtin_bswap32(value) >> (32 - size * 8); }

[[nodiscard]] constexpr std::uint32_t extend(std::uint32_t value, unsigned size) {
    const unsigned unused = 32 - size * 8;
    return static_cast<std::uint32_t>(static_cast<std::int32_t>(value << unused) >> unused);
}

}  // namespace partita
