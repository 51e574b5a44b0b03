// A virtio disk that this partition drives (Virtual I/O Device 1.2 §5.2): several devices of others' can lie on it.
#pragma once

#include <cstdint>
#include <span>

#include "partita/guest/virtio/block_requests.hpp"
#include "partita/guest/virtio/pci_device.hpp"

namespace partita::virtio {

class BlockDriver {
public:
    // A text that says why not, or nullptr.
    [[nodiscard]] const char *open(std::uint32_t function);
    [[nodiscard]] std::uint64_t sectors() const { return sectors_; }
    [[nodiscard]] std::uint32_t block_size() const { return block_size_; }
    [[nodiscard]] bool read_only() const;
    // As much at once as a Block offers.
    [[nodiscard]] bool discards() const;
    [[nodiscard]] bool zeroes() const;
    [[nodiscard]] PciDevice &device() { return device_; }

    // As Disk::begin(), of bytes of the whole disk. commit() makes known what was begun.
    [[nodiscard]] Disk::Result begin(const Disk::Request &request, RequestOwner &owner);
    void commit();
    // Tells the owners of all that have ended.
    void finish();
    [[nodiscard]] bool broken() { return requests_.queue().broken(); }
    // Reads so many bytes before anything else is begun, and waits for them, some seconds at most. False: they could not be read.
    [[nodiscard]] bool read_now(std::uint64_t at, std::span<std::uint8_t> to);

private:
    PciDevice device_;
    BlockRequests requests_;
    std::uint64_t sectors_ = 0;
    std::uint32_t block_size_ = 0;
};

}  // namespace partita::virtio
