// Takes the framed channels of the board's UART apart (abi/partita/console.h), and puts input into them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace partita::tool {

class Demux {
public:
    using Sink = std::function<void(std::uint32_t channel, char byte)>;
    explicit Demux(Sink sink) : sink_(std::move(sink)) {}
    void feed(std::span<const char> bytes);
    // What puts another one, which has heard nothing yet, in the same place.
    [[nodiscard]] std::string position() const;

private:
    Sink sink_;
    std::uint32_t channel_ = 0;
    bool escape_ = false;
};

// The bytes that carry `text` to a channel.
[[nodiscard]] std::string to_channel(std::uint32_t channel, const std::string& text);

}  // namespace partita::tool
