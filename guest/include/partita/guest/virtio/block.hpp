// The virtio block device (Virtual I/O Device 1.2 §5.2): reads, writes, flushes, discards and zeroes of a disk. They are begun in the order
// in which the driver made them available, and end in any.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "partita/guest/virtio/transport.hpp"

namespace partita::virtio {

inline constexpr std::uint32_t sector_size = 512;
inline constexpr std::uint32_t most_block_requests = 128;             // that a driver can have at once
inline constexpr std::uint32_t most_cleared_sectors = 8u << 20 >> 9;  // of a request to discard or zero: what takes no longer than a moment

// What a driver is told of a disk.
struct DiskShape {
    std::uint64_t sectors = 0;     // 0: there is no disk, and no device
    std::uint32_t block_size = 0;  // a power of two: what is best read and written at once; 0: nothing is
    bool read_only = false;
    bool no_discards = false, no_zeroes = false;  // it cannot
    const char *serial = nullptr;                 // 20 characters count
};

// What is behind the device.
class Disk {
public:
    enum class Result : std::uint8_t {
        ok = 0,  // §5.2.6: the status of a request
        failed = 1,
        unsupported = 2,
        later,  // it was begun; finished() tells the device of its end
        full,   // nothing was done: the device asks again when it is told to go on
    };
    enum class Action : std::uint8_t {
        read,
        write,
        flush,  // all that was written is where a power cut does not reach it, if there is such a place
        zero,
        discard,  // what is there counts no more; it may stay
    };
    // Bytes of the disk from `at` on, always in it, and whole sectors. Of reads and writes: where in memory, in parts of any size; they are
    // there until the request has ended, the list only for the call.
    struct Request {
        Action action;
        std::uint64_t at, size;
        std::span<const Segment> parts;
        std::uint32_t tag;  // of those that are under way
    };
    [[nodiscard]] virtual Result begin(const Request &request) = 0;

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
        : transport_(*this, state.transport, memory, version, 1), shape_(shape), disk_(disk) {}

    [[nodiscard]] std::uint32_t read(std::uint32_t offset, std::uint32_t size) const { return transport_.read(offset, size); }
    void write(std::uint32_t offset, std::uint32_t size, std::uint32_t value);
    // The driver is gone: as at power-on.
    void release() { transport_.reset(); }
    // Whether this write takes back what requests that are under way use: then it, and release(), wait until none is. Meanwhile stop().
    [[nodiscard]] bool takes_back(std::uint32_t offset, std::uint32_t size, std::uint32_t value) const {
        return transport_.takes_back(offset, size, value);
    }
    void stop() { stopped_ = true; }
    [[nodiscard]] std::uint32_t under_way() const { return under_way_; }
    // Begins what the driver made available.
    void notified();
    // A request that was to end later has ended; conclude() tells the driver of all of them.
    void finished(std::uint32_t tag, Disk::Result result);
    void conclude();
    // Goes on where another server ended.
    void resume();
    // There is more to do, for notified(): others may have their turn before.
    [[nodiscard]] bool is_busy() const { return busy_; }
    // ... once the disk has room again.
    [[nodiscard]] bool waits_for_room() const { return waits_; }

    [[nodiscard]] std::uint32_t id() const override { return shape_.sectors != 0 ? 2 : 0; }
    [[nodiscard]] std::uint64_t features() const override;
    [[nodiscard]] std::uint32_t entries(std::uint32_t queue) const override { return queue == 0 ? most_block_requests : 0; }
    [[nodiscard]] std::uint8_t configuration(std::uint32_t offset) const override;
    void reset() override { busy_ = waits_ = stopped_ = false; }

private:
    // A request's parts, looked up once: the driver cannot change them any more.
    struct Request {
        std::array<Segment, most_entries> parts;
        std::uint32_t count, first_writable;
        std::uint64_t readable, writable;  // bytes
    };
    // What is written when a request ends.
    struct UnderWay {
        std::uint8_t *status;
        std::uint32_t written;
    };
    // What a request comes to: bytes that it writes for the driver, if it goes well.
    struct Outcome {
        Disk::Result result;
        std::uint32_t written = 0;
    };
    [[nodiscard]] bool collect(Queue &queue, std::uint16_t head);
    [[nodiscard]] std::span<const Segment> cut(bool writable, std::uint64_t from, std::uint64_t size);
    void copy_readable(std::uint64_t from, std::span<std::uint8_t> out) const;
    [[nodiscard]] Outcome perform(std::uint16_t head);
    [[nodiscard]] Outcome transfer(Disk::Action action, std::uint64_t sector, std::uint16_t head);
    [[nodiscard]] Outcome tell_serial();
    [[nodiscard]] Outcome clear(bool discards, std::uint16_t head);
    [[nodiscard]] bool inside(std::uint64_t sector, std::uint64_t bytes) const;

    Transport transport_;
    DiskShape shape_;
    Disk &disk_;
    Request request_{};
    std::array<UnderWay, most_block_requests> all_{};  // by their first descriptors
    std::uint32_t under_way_ = 0;
    bool busy_ = false, waits_ = false, stopped_ = false;
};

}  // namespace partita::virtio
