// The channels on the board's UART: the log, and a console for each partition. See abi/partita/console.h.
#pragma once

#include <cstdint>
#include <optional>

#include "partita/console.h"
#include "partita/system_image.h"

namespace partita::console {

inline constexpr std::uint32_t channels = PARTITA_CONSOLE_FIRST_PARTITION + PARTITA_MAX_PARTITIONS;

// names: what a line's prefix says of each channel when no tool takes the frames apart.
void start(bool framed);
void name_channel(std::uint32_t channel, const char* name);

// Puts a byte into a channel's ring; false when it is full. One writer of a channel at a time.
bool put(std::uint32_t channel, std::uint8_t byte);
[[nodiscard]] bool full(std::uint32_t channel);

// Sends what the rings hold, as far as the UART takes it. Any CPU; returns at once where another is doing so.
void pump();

struct Received {
    std::uint32_t channel;
    std::uint8_t byte;
};
// The next byte that came for a channel. Only on the CPU that takes the UART's interrupt.
[[nodiscard]] std::optional<Received> receive();

// From now on the caller alone writes to the log's channel, waiting for the UART: for a panic.
void seize();
void write_seized(char c);

}  // namespace partita::console
