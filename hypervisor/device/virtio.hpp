// A virtio device of a partition, as far as Hyp has a part in it (Virtual I/O Device 1.2 §4.2.2): what its driver does often is answered
// here, in a word for each; the rest is the server partition's.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "machine/timer.hpp"
#include "partita/system_image.h"

namespace partita {

struct Partition;

namespace virtio_mmio {
inline constexpr std::uint32_t MagicValue = 0x000, Version = 0x004, QueueNotify = 0x050, InterruptStatus = 0x060, InterruptACK = 0x064,
                               Status = 0x070;
inline constexpr std::uint32_t magic = 0x7472'6976;
}  // namespace virtio_mmio

struct VirtioDevice {
    const partita_virtio* description = nullptr;
    Partition* partition = nullptr;  // whose driver has it
    Partition* server = nullptr;
    std::uint32_t number = 0;                // in System::virtio
    timer::Ticks patience = 0;               // how long its driver waits for the server
    std::atomic<std::uint32_t> asks{0};      // a bit for each virtual CPU with a request that the server has yet to take
    std::atomic<std::uint32_t> notified{0};  // ... for each queue (n % 32) that the driver notified it of
    std::atomic<std::uint32_t> status{0};    // InterruptStatus
    std::atomic<bool> unreleased{false};     // a life of its partition begins, and the server has not let go of the last

    [[nodiscard]] bool wants() const {
        return (asks.load(std::memory_order_acquire) | notified.load(std::memory_order_acquire)) != 0 ||
               unreleased.load(std::memory_order_acquire);
    }
    // What needs no server.
    [[nodiscard]] std::optional<std::uint32_t> read(std::uint32_t offset) const {
        switch (offset) {
            case virtio_mmio::MagicValue: return virtio_mmio::magic;
            case virtio_mmio::Version: return description->version;
            case virtio_mmio::InterruptStatus: return status.load(std::memory_order_acquire);
            default: return std::nullopt;
        }
    }
};

}  // namespace partita
