// The registers of a virtio device (Virtual I/O Device 1.2 §4.2): virtio-mmio version 2, and version 1 for drivers that know no other.
// InterruptStatus and QueueNotify are the hypervisor's.
#pragma once

#include <array>
#include <cstdint>

#include "partita/guest/virtio/queue.hpp"

namespace partita::virtio {

inline constexpr std::uint32_t most_queues = 32;

inline constexpr std::uint64_t feature_indirect = 1ull << 28, feature_event_index = 1ull << 29, feature_version_1 = 1ull << 32,
                               feature_access_platform = 1ull << 33;
// §2.1.
inline constexpr std::uint32_t status_features_ok = 8, status_driver_ok = 4, status_needs_reset = 64;

// All that a driver has set. It may lie in memory that outlives its server: it is plain data, and zeros are as at reset.
struct TransportState {
    std::uint32_t status;
    std::uint32_t device_features_select, driver_features_select, queue_select;
    std::uint64_t driver_features;
    std::uint32_t page_size;  // of version 1: GuestPageSize
    std::array<QueueState, most_queues> queues;
};

// What differs from device to device.
class Device {
public:
    [[nodiscard]] virtual std::uint32_t id() const = 0;  // §5
    [[nodiscard]] virtual std::uint64_t features() const = 0;
    // The most entries of a queue; 0: there is no such queue.
    [[nodiscard]] virtual std::uint32_t entries(std::uint32_t queue) const = 0;
    // Its configuration, byte by byte; what it does not have reads as 0.
    [[nodiscard]] virtual std::uint8_t configuration(std::uint32_t offset) const = 0;
    // The driver has reset it: as at power-on, but for TransportState.
    virtual void reset() = 0;

protected:
    ~Device() = default;
};

class Transport {
public:
    // queues: the device has none from this number on.
    Transport(Device &device, TransportState &state, const ClientMemory &memory, std::uint32_t version, std::uint32_t queues = most_queues)
        : device_(device), state_(state), memory_(memory), version_(version), queues_(queues) {}

    [[nodiscard]] std::uint32_t read(std::uint32_t offset, std::uint32_t size) const;
    void write(std::uint32_t offset, std::uint32_t size, std::uint32_t value);
    void reset();

    // Whether the driver is ready for the device to work.
    [[nodiscard]] bool runs() const { return (state_.status & (status_driver_ok | status_needs_reset)) == status_driver_ok; }
    [[nodiscard]] bool has(std::uint64_t feature) const { return (state_.driver_features & feature) != 0; }
    [[nodiscard]] Queue queue(std::uint32_t n) { return {state_.queues[n], memory_, {has(feature_indirect), has(feature_event_index)}}; }
    // Why a queue is broken, the first that is; the device works no more then, until it is reset.
    [[nodiscard]] Broken find_broken(std::uint32_t &queue);
    // What the driver is to be interrupted with, bits of InterruptStatus: of all that was finished, or that nothing goes on any more, of
    // which broken(queue, why) is told.
    template <typename Tell>
    [[nodiscard]] std::uint32_t conclude(Tell &&broken) {
        constexpr std::uint32_t used_buffers = 1, configuration_changed = 2;
        std::uint32_t number = 0;
        if (const Broken why = find_broken(number); why != Broken::no) {
            broken(number, why);
            return configuration_changed;
        }
        bool tell = false;
        for (number = 0; number < queues_; ++number)
            if (device_.entries(number) != 0) tell = queue(number).must_tell() || tell;
        return tell ? used_buffers : 0;
    }
    // Whether a write takes from the device what it may still be at: it is to be written once all that was begun is finished.
    [[nodiscard]] bool takes_back(std::uint32_t offset, std::uint32_t size, std::uint32_t value) const;

private:
    [[nodiscard]] bool legacy() const { return version_ == 1; }
    [[nodiscard]] std::uint64_t offered() const;
    [[nodiscard]] std::uint32_t read_register(std::uint32_t offset) const;
    void write_register(std::uint32_t offset, std::uint32_t value);
    void write_queue(std::uint32_t offset, std::uint32_t value);
    void write_legacy_queue(std::uint32_t offset, std::uint32_t value);
    void write_status(std::uint32_t value);
    void write_features(std::uint32_t value);
    [[nodiscard]] QueueState *selected();
    [[nodiscard]] std::uint32_t entries() const { return state_.queue_select < most_queues ? device_.entries(state_.queue_select) : 0; }

    Device &device_;
    TransportState &state_;
    const ClientMemory &memory_;
    std::uint32_t version_, queues_;
};

}  // namespace partita::virtio
