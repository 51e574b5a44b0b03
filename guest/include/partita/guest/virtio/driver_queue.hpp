// A split virtqueue (Virtual I/O Device 1.2 §2.7), from the driver's side: of a device that this partition drives. Each request is one
// descriptor: a buffer, or an indirect table of them. The device is believed no more than a driver is: what it says is finished was begun.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "partita/guest/virtio/queue.hpp"

namespace partita::virtio {

// §2.7.5.
struct Descriptor {
    static constexpr std::uint16_t next = 1, device_writes = 2, indirect = 4;

    std::uint64_t address;
    std::uint32_t size;
    std::uint16_t flags, then;
};
static_assert(sizeof(Descriptor) == 16);

// Where the device sees it: the System MMU translates as for the partition's CPUs.
[[nodiscard]] inline std::uint64_t device_address(const void *at) { return reinterpret_cast<std::uintptr_t>(at); }

class DriverQueue {
public:
    struct Done {
        std::uint16_t number;
        std::uint32_t written;
    };

    // Empty, with so many entries: a power of two, most_entries at most. With event_index the device is told when it is to interrupt.
    void open(std::uint32_t entries, bool event_index);
    [[nodiscard]] const void *descriptors() const { return memory_.descriptors.data(); }
    [[nodiscard]] const void *available() const { return &memory_.available; }
    [[nodiscard]] const void *used() const { return &memory_.used; }
    [[nodiscard]] std::uint32_t entries() const { return entries_; }
    [[nodiscard]] std::uint32_t free() const { return free_count_; }

    // The number that the next request has until it is finished: the one that was finished last; at first they come from 0 on. There must
    // be a free one.
    [[nodiscard]] std::uint16_t next() const { return free_list_[free_count_ - 1]; }
    // Describes that request, which publish() makes known.
    void offer(const void *at, std::uint32_t size, std::uint16_t flags);
    // True: the device wants to be notified.
    [[nodiscard]] bool publish();
    enum class Interrupt : bool { no, yes };
    // The next that the device has finished. None: there is none (yet), and it will interrupt for the next, if that is asked for.
    [[nodiscard]] std::optional<Done> finished(Interrupt interrupt = Interrupt::yes);
    // It finished what was never begun: nothing that it says counts any more.
    [[nodiscard]] bool broken() const { return broken_; }
    void give_up() { broken_ = true; }

private:
    struct Memory {
        alignas(16) std::array<Descriptor, most_entries> descriptors;
        struct {
            std::uint16_t flags, index;
            std::array<std::uint16_t, most_entries + 1> ring;  // and used_event
        } available;
        struct alignas(4) {
            std::uint16_t flags, index;
            struct {
                std::uint32_t id, size;
            } ring[most_entries];
            std::uint16_t event_of_256;  // avail_event of a ring of most_entries; of a shorter one it lies in the ring
        } used;
    };
    [[nodiscard]] std::uint16_t *used_event() { return &memory_.available.ring[entries_]; }
    [[nodiscard]] const std::uint16_t *available_event() const {
        return reinterpret_cast<const std::uint16_t *>(&memory_.used.ring[0]) + entries_ * 4;
    }

    Memory memory_{};
    std::array<std::uint16_t, most_entries> free_list_{};
    std::array<bool, most_entries> begun_{};
    std::uint32_t entries_ = 0, free_count_ = 0;
    std::uint16_t offered_ = 0, published_ = 0, seen_ = 0;
    bool event_index_ = false, broken_ = false;
};

}  // namespace partita::virtio
