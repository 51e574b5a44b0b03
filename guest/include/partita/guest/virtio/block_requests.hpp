// Requests to a virtio disk that this partition drives (Virtual I/O Device 1.2 §5.2.6), behind any bus.
#pragma once

#include <array>
#include <cstdint>

#include "partita/guest/virtio/block.hpp"
#include "partita/guest/virtio/driver_queue.hpp"

namespace partita::virtio {

// Who began a request, and is told when it has ended.
class RequestOwner {
public:
    virtual void ended(std::uint32_t tag, Disk::Result result) = 0;

protected:
    ~RequestOwner() = default;
};

// Those that are under way, in a queue.
class BlockRequests {
public:
    static constexpr std::uint32_t most = 64;         // at once
    static constexpr std::uint32_t most_parts = 128;  // of a request

    // later, full, or failed: it has too many parts.
    [[nodiscard]] Disk::Result begin(const Disk::Request &request, RequestOwner &owner);
    // Tells the owners of all that have ended.
    void finish();
    // The disk does nothing any more: tells the owners of all that are under way that they failed.
    void fail();
    [[nodiscard]] DriverQueue &queue() { return queue_; }

private:
    struct Slot {
        struct {
            std::uint32_t type, reserved;
            std::uint64_t sector;
        } header;
        struct {
            std::uint64_t sector;
            std::uint32_t sectors, flags;
        } range;  // of what is to be discarded or zeroed
        std::uint8_t status;
        alignas(16) std::array<Descriptor, most_parts + 2> table;
    };

    DriverQueue queue_;
    std::array<Slot, most> slots_{};
    struct Asked {
        RequestOwner *owner;  // nullptr: nothing is under way
        std::uint32_t tag;
    };
    std::array<Asked, most> asked_{};
};

}  // namespace partita::virtio
