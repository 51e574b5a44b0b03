// A virtio network card that this partition drives (Virtual I/O Device 1.2 §5.1).
#pragma once

#include <array>
#include <cstdint>

#include "partita/guest/virtio/frame.hpp"
#include "partita/guest/virtio/pci_device.hpp"

namespace partita::virtio {

class NetworkDriver {
public:
    // A text that says why not, or nullptr.
    [[nodiscard]] const char *open(std::uint32_t function);
    [[nodiscard]] PciDevice &device() { return device_; }
    // What the card does of what senders leave to others.
    [[nodiscard]] Offloads offloads() const;

    // Copies the frame, one that is not to be cut. False: there is no room. commit() makes known what was sent.
    [[nodiscard]] bool send(const Frame &frame);
    void commit();
    // Calls visit(Frame) for each frame that arrived, `most` of them; those that are none are passed over. True: there may be more.
    template <typename Visit>
    bool receive(std::uint32_t most, Visit &&visit) {
        std::uint32_t count = 0;
        for (; count < most; ++count) {
            const auto done = arrived_.finished();
            if (!done) break;
            Buffer &buffer = in_[done->number];
            const std::uint32_t size = done->written;
            if (size > sizeof(FrameHeader) && size <= sizeof buffer) {
                FrameHeader header = buffer.header;
                header.flags &= FrameHeader::needs_checksum;
                header.buffers = 0;
                const Segment part{buffer.bytes.data(), size - static_cast<std::uint32_t>(sizeof header), false};
                const Frame frame{header, {&part, 1}, part.size};
                if (is_sound(frame)) visit(frame);
            }
            offer_buffer();
        }
        if (arrived_.publish()) device_.notify(from_outside);
        return count == most;
    }

private:
    static constexpr std::uint32_t from_outside = 0, to_outside = 1;  // queues
    static constexpr std::uint32_t most_frames = 128;
    struct Buffer {
        FrameHeader header;
        std::array<std::uint8_t, 1536 - sizeof(FrameHeader)> bytes;
    };
    void offer_buffer();
    [[nodiscard]] bool open_queues();

    PciDevice device_;
    DriverQueue arrived_, sent_;
    std::array<Buffer, most_frames> in_{}, out_{};
};

}  // namespace partita::virtio
