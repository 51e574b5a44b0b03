// Frames of the control channel (control.h), taken apart and put together: the same code in the parent partition and in the tool.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "partita/control.h"

namespace partita::control {

// CRC-32 of IEEE 802.3, reflected, by the bit: frames are short and rare, and a table is a KiB.
[[nodiscard]] constexpr std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
    std::uint32_t crc = ~0u;
    for (const std::uint8_t byte : bytes) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1u) != 0 ? 0xedb8'8320u : 0);
    }
    return ~crc;
}

inline constexpr std::size_t checksum_size = 4;
inline constexpr std::size_t longest_stuffed = PARTITA_CONTROL_LONGEST + PARTITA_CONTROL_LONGEST / 254 + 1;

// Collects bytes until a frame is whole.
class Reader {
public:
    // Of the frame that this byte ends, header and what follows it, until the next byte is fed. Nothing otherwise.
    [[nodiscard]] constexpr std::optional<std::span<const std::uint8_t>> feed(std::uint8_t byte) {
        if (byte != 0) {
            if (used_ < raw_.size()) raw_[used_] = byte;
            if (used_ <= raw_.size()) ++used_;  // one more than there is room for: too long
            return std::nullopt;
        }
        const std::size_t size = used_;
        used_ = 0;
        if (size == 0) return std::nullopt;  // zero bytes that follow each other are no frame, and no mistake
        const auto frame = size <= raw_.size() ? open(size) : std::nullopt;
        if (!frame) ++refused_;
        return frame;
    }
    [[nodiscard]] constexpr std::uint32_t refused() const { return refused_; }

private:
    // Takes the stuffing out in place: what is written never overtakes what is read.
    [[nodiscard]] constexpr std::optional<std::span<const std::uint8_t>> open(std::size_t size) {
        std::size_t out = 0;
        for (std::size_t in = 0; in < size;) {
            const std::size_t run = raw_[in++];
            if (run - 1 > size - in) return std::nullopt;
            for (std::size_t n = 1; n < run; ++n) raw_[out++] = raw_[in++];
            if (run != 0xff && in < size) raw_[out++] = 0;
        }
        if (out < sizeof(partita_control_header) + checksum_size || out > PARTITA_CONTROL_LONGEST) return std::nullopt;
        const std::span<const std::uint8_t> body{raw_.data(), out - checksum_size};
        std::uint32_t sum = 0;
        for (std::size_t n = 0; n < checksum_size; ++n) sum |= std::uint32_t{raw_[body.size() + n]} << 8 * n;
        if (sum != crc32(body)) return std::nullopt;
        return body;
    }

    std::array<std::uint8_t, longest_stuffed> raw_{};
    std::size_t used_ = 0;
    std::uint32_t refused_ = 0;
};

// Puts a frame together. What does not fit is left out, and finish() says so.
class Writer {
public:
    constexpr Writer& put(std::span<const std::uint8_t> bytes) {
        for (const std::uint8_t byte : bytes) {
            if (used_ + checksum_size >= plain_.size())
                fits_ = false;
            else
                plain_[used_++] = byte;
        }
        return *this;
    }
    constexpr Writer& word(std::uint32_t value) {
        for (unsigned n = 0; n < 4; ++n) byte(static_cast<std::uint8_t>(value >> 8 * n));
        return *this;
    }
    constexpr Writer& header(std::uint8_t kind, std::uint16_t sequence) {
        byte(PARTITA_CONTROL_VERSION);
        byte(kind);
        byte(static_cast<std::uint8_t>(sequence));
        byte(static_cast<std::uint8_t>(sequence >> 8));
        return *this;
    }
    // The stuffed bytes and the zero behind them, given to `sink` one by one. False, and nothing given, when it was too long.
    template <typename Sink>
    [[nodiscard]] constexpr bool finish(Sink&& sink) {
        if (!fits_) return false;
        const std::uint32_t sum = crc32(std::span{plain_.data(), used_});
        for (unsigned n = 0; n < checksum_size; ++n) plain_[used_++] = static_cast<std::uint8_t>(sum >> 8 * n);
        std::size_t begin = 0;
        for (bool more = true; more;) {
            std::size_t end = begin;
            while (end < used_ && plain_[end] != 0 && end - begin < 254) ++end;
            sink(static_cast<std::uint8_t>(end - begin + 1));
            for (std::size_t n = begin; n < end; ++n) sink(plain_[n]);
            const bool full = end - begin == 254;
            more = end < used_;
            begin = full ? end : end + 1;
            if (!full && end + 1 == used_) {  // it ends in a zero: an empty run says so
                sink(std::uint8_t{1});
                more = false;
            }
        }
        sink(std::uint8_t{0});
        return true;
    }

private:
    constexpr void byte(std::uint8_t value) { put({&value, 1}); }

    std::array<std::uint8_t, PARTITA_CONTROL_LONGEST + 1> plain_{};
    std::size_t used_ = 0;
    bool fits_ = true;
};

}  // namespace partita::control
