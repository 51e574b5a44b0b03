// A disk that this partition was given. Others' disks lie on it, each with a share of the requests that can be under way.
#pragma once

#include <array>
#include <cstdint>

#include "gpt.hpp"
#include "partita/guest/virtio/block_driver.hpp"

namespace partita::parent {

class RealDisk {
public:
    // That PCI function, which is opened when it is asked for first. nullptr: it cannot be used, and why was told.
    [[nodiscard]] static RealDisk* find(std::uint32_t function, const char* name);

    [[nodiscard]] virtio::BlockDriver& driver() { return driver_; }
    // Someone's disk lies there, in sectors, from now on. A text that says why it cannot, or nullptr.
    [[nodiscard]] const char* add(std::uint64_t first, std::uint64_t count, bool read_only);
    // Requests that each of them may have under way.
    [[nodiscard]] std::uint32_t share() const { return virtio::BlockRequests::most / count_; }

private:
    enum class State : std::uint8_t { unused, works, unusable };
    [[nodiscard]] bool open(std::uint32_t function, const char* name);

    struct Range {
        std::uint64_t first, count;
        bool read_only;
    };
    static constexpr std::uint32_t most_ranges = 16;

    virtio::BlockDriver driver_;
    std::uint32_t function_ = 0;
    std::array<Range, most_ranges> ranges_{};
    std::uint32_t count_ = 0;
    State state_ = State::unused;
};

}  // namespace partita::parent
