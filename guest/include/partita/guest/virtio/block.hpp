// The virtio block device (Virtual I/O Device 1.2 §5.2): reads, writes, flushes, discards and zeroes of a disk, one after the other, in the
// order in which the driver made them available.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "partita/guest/virtio/transport.hpp"

namespace partita::virtio {

inline constexpr std::uint32_t sector_size = 512;

// What a driver is told of a disk.
struct DiskShape {
    std::uint64_t sectors = 0;
    std::uint32_t block_size = sector_size;  // a power of two: what is best read and written at once
    bool read_only = false;
    const char *serial = "";  // 20 characters count
};

// What is behind the device. Places are bytes from the disk's begin, and always in it; sizes need not be sectors.
class Disk {
public:
    enum class Result : std::uint8_t { ok = 0, failed = 1 };  // §5.2.6: the status of a request

    [[nodiscard]] virtual Result read(std::uint64_t at, std::span<std::uint8_t> to) = 0;
    [[nodiscard]] virtual Result write(std::uint64_t at, std::span<const std::uint8_t> from) = 0;
    // All that was written is where a power cut does not reach it, if there is such a place.
    [[nodiscard]] virtual Result flush() = 0;
    [[nodiscard]] virtual Result zero(std::uint64_t at, std::uint64_t size) = 0;
    // What is there counts no more; it may stay.
    [[nodiscard]] virtual Result discard(std::uint64_t at, std::uint64_t size) = 0;

    // Sets bits of InterruptStatus.
    virtual void interrupt(std::uint32_t bits) = 0;
    // The device works no more until it is reset.
    virtual void broken(std::uint32_t queue, Broken why) = 0;

protected:
    ~Disk() = default;
};

// With it a server goes on where another ended. Requests that were not finished then are carried out again.
struct BlockState {
    TransportState transport;
};

class Block final : public Device {
public:
    // state: zeros, or what another server left.
    Block(BlockState &state, const ClientMemory &memory, std::uint32_t version, const DiskShape &shape, Disk &disk)
        : transport_(*this, state.transport, memory, version), shape_(shape), disk_(disk) {}

    [[nodiscard]] std::uint32_t read(std::uint32_t offset, std::uint32_t size) const { return transport_.read(offset, size); }
    void write(std::uint32_t offset, std::uint32_t size, std::uint32_t value);
    // The driver is gone: as at power-on.
    void release() { transport_.reset(); }
    void notified();
    // Goes on where another server ended.
    void resume();
    // There is more to do, for notified(): others may have their turn before.
    [[nodiscard]] bool is_busy() const { return busy_; }

    [[nodiscard]] std::uint32_t id() const override { return 2; }
    [[nodiscard]] std::uint64_t features() const override;
    [[nodiscard]] std::uint32_t entries(std::uint32_t queue) const override;
    [[nodiscard]] std::uint8_t configuration(std::uint32_t offset) const override;
    void reset() override { busy_ = false; }

private:
    // A request's parts, looked up once: the driver cannot change them any more.
    struct Request {
        std::array<Segment, most_entries> parts;
        std::uint32_t count, first_writable;
        std::uint64_t readable, writable;  // bytes
    };
    struct Range {
        std::uint64_t at, size;
    };
    [[nodiscard]] bool collect(Queue &queue, std::uint16_t head);
    template <typename Visit>
    [[nodiscard]] std::uint8_t each(bool writable, std::uint64_t from, std::uint64_t size, Visit &&visit) const;
    void copy_readable(std::uint64_t from, std::span<std::uint8_t> out) const;
    [[nodiscard]] std::uint8_t perform(std::uint64_t &written);
    [[nodiscard]] std::uint8_t read_disk(std::uint64_t sector, std::uint64_t &written);
    [[nodiscard]] std::uint8_t write_disk(std::uint64_t sector);
    [[nodiscard]] std::uint8_t tell_serial(std::uint64_t &written);
    [[nodiscard]] std::uint8_t clear(bool discards);
    [[nodiscard]] std::optional<Range> range(std::uint64_t sector, std::uint64_t bytes) const;
    void conclude();

    Transport transport_;
    DiskShape shape_;
    Disk &disk_;
    Request request_{};
    bool busy_ = false;
};

}  // namespace partita::virtio
