#include "partita/guest/virtio/pci_device.hpp"

#include <algorithm>

#include "partita/guest/guest.h"

namespace partita::virtio {

using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

namespace {

// §4.1.4.3.
enum Common : uint32_t {
    DeviceFeatureSelect = 0x00,
    DeviceFeature = 0x04,
    DriverFeatureSelect = 0x08,
    DriverFeature = 0x0c,
    DeviceStatus = 0x14,
    QueueSelect = 0x16,
    QueueSize = 0x18,
    QueueEnable = 0x1c,
    QueueNotifyOffset = 0x1e,
    QueueDescriptors = 0x20,
    QueueAvailable = 0x28,
    QueueUsed = 0x30,
};
enum Part : uint8_t { part_common = 1, part_notify = 2, part_status = 3, part_configuration = 4 };
constexpr uint8_t acknowledged = 1, has_driver = 2;

constexpr uint32_t capabilities_pointer = 0x34, vendor_specific = 0x09;

}  // namespace

// §4.1.4: where its parts are, by its capabilities. A list has at most 48 of them.
bool PciDevice::find_parts(uint32_t function) {
    common_ = notify_ = status_ = configuration_ = 0;
    uint32_t at = pci_read(function, capabilities_pointer) & 0xfcu;
    for (uint32_t n = 0; at != 0 && n < 48; ++n) {
        const uint32_t head = pci_read(function, at), bar = pci_read(function, at + 4) & 0xffu;
        const uint32_t next = head >> 8 & 0xfcu;
        if ((head & 0xffu) == vendor_specific && bar < 6) {
            const std::uintptr_t part = pci_address(function, bar) + pci_read(function, at + 8);
            switch (head >> 24) {
                case part_common: common_ = part; break;
                case part_notify: notify_ = part, notify_step_ = pci_read(function, at + 16); break;
                case part_status: status_ = part; break;
                case part_configuration: configuration_ = part; break;
                default: break;
            }
        }
        at = next;
    }
    return common_ != 0 && notify_ != 0 && status_ != 0 && configuration_ != 0;
}

const char *PciDevice::open(uint32_t function, uint64_t wanted, uint64_t needed) {
    needed |= feature_version_1 | feature_access_platform;
    pci_enable(function);
    if (!find_parts(function)) return "it is no virtio device, or only one of the old interface";
    if (!stop()) return "it does not end its reset";
    common<uint8_t>(DeviceStatus) = acknowledged | has_driver;
    uint64_t offered = 0;
    for (uint32_t half = 0; half < 2; ++half) {
        common<uint32_t>(DeviceFeatureSelect) = half;
        offered |= uint64_t{common<uint32_t>(DeviceFeature)} << half * 32;
    }
    if ((offered & feature_access_platform) == 0) return "it would bypass the System MMU (in QEMU: iommu_platform=on)";
    if ((offered & needed) != needed) return "it lacks what is needed of it";
    features_ = offered & (wanted | needed);
    for (uint32_t half = 0; half < 2; ++half) {
        common<uint32_t>(DriverFeatureSelect) = half;
        common<uint32_t>(DriverFeature) = static_cast<uint32_t>(features_ >> half * 32);
    }
    common<uint8_t>(DeviceStatus) = acknowledged | has_driver | status_features_ok;
    if ((common<uint8_t>(DeviceStatus) & status_features_ok) == 0) return "it does not agree to its own features";
    interrupt_ = pci_interrupt(function);
    return interrupt_ != 0 ? nullptr : "it has no interrupt line (msi = \"given\" takes it)";
}

bool PciDevice::add_queue(uint32_t number, DriverQueue &queue, uint32_t entries) {
    common<uint16_t>(QueueSelect) = static_cast<uint16_t>(number);
    entries = std::min<uint32_t>(entries, common<uint16_t>(QueueSize));
    if (number >= most_queues || entries == 0 || (entries & (entries - 1)) != 0) return false;
    queue.open(entries, has(feature_event_index));
    common<uint16_t>(QueueSize) = static_cast<uint16_t>(entries);
    const auto put = [&](uint32_t where, const void *what) {
        const uint64_t address = device_address(what);
        common<uint32_t>(where) = static_cast<uint32_t>(address);
        common<uint32_t>(where + 4) = static_cast<uint32_t>(address >> 32);
    };
    put(QueueDescriptors, queue.descriptors());
    put(QueueAvailable, queue.available());
    put(QueueUsed, queue.used());
    bells_[number] = notify_ + uint32_t{common<uint16_t>(QueueNotifyOffset)} * notify_step_;
    device_barrier();
    common<uint16_t>(QueueEnable) = 1;
    return true;
}

void PciDevice::start() { common<uint8_t>(DeviceStatus) = acknowledged | has_driver | status_features_ok | status_driver_ok; }

bool PciDevice::stop() {
    common<uint8_t>(DeviceStatus) = 0;
    const uint64_t end = timer_now() + timer_frequency();
    while (common<uint8_t>(DeviceStatus) != 0)
        if (timer_now() > end) return false;
    return true;
}

void PciDevice::notify(uint32_t queue) {
    device_barrier();
    *reinterpret_cast<volatile uint16_t *>(bells_[queue]) = static_cast<uint16_t>(queue);
}

bool PciDevice::acknowledge() { return (*reinterpret_cast<const volatile uint8_t *>(status_) & 1u) != 0; }

}  // namespace partita::virtio
