// Frames of a network, with what a sender leaves to others: checksums that are to be completed, and TCP segments that are to be cut
// (Virtual I/O Device 1.2 §5.1.6).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "partita/guest/virtio/queue.hpp"

namespace partita::virtio {

// §5.1.6: in front of each frame.
struct FrameHeader {
    static constexpr std::uint8_t needs_checksum = 1;             // flags
    static constexpr std::uint8_t plain = 0, tcp4 = 1, tcp6 = 4;  // gso_type: a frame that is to be cut, of which kind

    std::uint8_t flags, gso_type;
    std::uint16_t header_size, segment_size;        // of a frame that is to be cut: bytes before TCP's data (a hint), and of that in each
    std::uint16_t checksum_start, checksum_offset;  // of what is summed up, and from there where the sum goes
    std::uint16_t buffers;
};
static_assert(sizeof(FrameHeader) == 12);

inline constexpr std::uint32_t smallest_frame = 14;          // two addresses and a type
inline constexpr std::uint32_t largest_plain_frame = 1518;   // with a VLAN's tag
inline constexpr std::uint32_t largest_frame = 65'536 + 64;  // that is to be cut

struct Frame {
    FrameHeader header;
    std::span<const Segment> parts;  // of memory that its sender may change at any time
    std::uint32_t size;
};

// What a receiver does itself.
struct Offloads {
    bool checksum = false, tcp4 = false, tcp6 = false;
};

// Whether lengths and header agree. What is in the frame is not looked at.
[[nodiscard]] bool is_sound(const Frame &frame);
// The frame's bytes from `from` on.
void copy(const Frame &frame, std::uint32_t from, std::span<std::uint8_t> to);

// Makes of one frame those that a receiver takes: as it is, its checksum completed, or cut into segments.
class FrameAdapter {
public:
    // Nothing is left of it where it cannot be cut: it is none that its header says.
    FrameAdapter(const Frame &frame, Offloads offloads);
    // The next one; nullptr: there is none any more. It is there until the next call.
    [[nodiscard]] const Frame *next();

private:
    enum class Way : std::uint8_t { as_it_is, sum, cut, done };
    [[nodiscard]] bool find_headers();
    void make_segment();
    void sum_segment(std::uint32_t size);

    const Frame &frame_;
    Offloads offloads_;
    Way way_;
    std::uint32_t network_ = 0, transport_ = 0, data_ = 0;  // where the headers begin, and TCP's data
    std::uint32_t at_ = 0, count_ = 0;                      // of the data, what was cut; segments
    std::array<std::uint8_t, largest_plain_frame> bytes_;
    Segment part_{};
    Frame made_{};
};

// The sum of RFC 1071 over bytes, to be folded.
[[nodiscard]] std::uint32_t add_up(std::span<const std::uint8_t> bytes, std::uint32_t sum);
[[nodiscard]] std::uint16_t fold(std::uint32_t sum);

}  // namespace partita::virtio
