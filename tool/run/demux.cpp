#include "run/demux.hpp"

#include "partita/console.h"

namespace partita::tool {

void Demux::feed(std::span<const char> bytes) {
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        if (!escape_ && value == PARTITA_CONSOLE_ESCAPE) {
            escape_ = true;
        } else if (escape_ && value != PARTITA_CONSOLE_ESCAPE) {
            escape_ = false;
            if (value >= PARTITA_CONSOLE_CHANNEL) channel_ = value - PARTITA_CONSOLE_CHANNEL;
        } else {
            escape_ = false;
            sink_(channel_, byte);
        }
    }
}

std::string Demux::position() const {
    return to_channel(channel_, "") + (escape_ ? std::string{static_cast<char>(PARTITA_CONSOLE_ESCAPE)} : std::string{});
}

std::string to_channel(std::uint32_t channel, const std::string& text) {
    constexpr char escape = static_cast<char>(PARTITA_CONSOLE_ESCAPE);
    std::string out{escape, static_cast<char>(PARTITA_CONSOLE_CHANNEL + channel)};
    for (const char byte : text) {
        out += byte;
        if (byte == escape) out += escape;
    }
    return out;
}

}  // namespace partita::tool
