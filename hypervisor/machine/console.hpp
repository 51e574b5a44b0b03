// The channels on the board's UART: the log, and a console for each partition. See abi/partita/console.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "machine/ring.hpp"
#include "machine/timer.hpp"
#include "partita/console.h"
#include "partita/system_image.h"

namespace partita::console {

inline constexpr std::uint32_t channels = PARTITA_CONSOLE_CONTROL + 1;
static_assert(PARTITA_CONSOLE_FIRST_PARTITION + PARTITA_MAX_PARTITIONS <= PARTITA_CONSOLE_CONTROL);

using Ring = ByteRing<2048>;

// Without frames each line begins with its channel's name, and is broken by another channel's only when it is long or its
// writer has been silent for 100 ms.
void start(bool framed);
// Before a channel is used; the log's is open from the start.
void open_channel(std::uint32_t channel, const char* name, Ring& ring);

// Puts bytes into a channel's ring; false, and nothing put, when it has no room for all. One writer of a channel at a time.
bool put(std::uint32_t channel, std::uint8_t byte);
bool put(std::uint32_t channel, std::string_view bytes);
// Sends a byte straight to the UART, where nothing waits in any ring and the channel is the one that was sent from last; false: it is to
// be put. Another's bytes may have come to wait meanwhile (waiting()): pump() is to be called then, as after put().
[[nodiscard]] bool send_at_once(std::uint32_t channel, std::uint8_t byte);
[[nodiscard]] bool waiting();
[[nodiscard]] bool full(std::uint32_t channel);
[[nodiscard]] std::uint32_t room(std::uint32_t channel);

// Somebody waits for room in a full channel: whoever sends next, the UART's interrupt comes, which tells it (room_wanted()).
void want_room();
// Whether somebody did, since the last call.
[[nodiscard]] bool room_wanted();

// Sends what the rings hold, as far as the UART takes it. Any CPU; returns at once where another is doing so.
void pump();

// From now on, after each burst of 16 bytes the UART is left alone for so long: pump_at() is told when to go on.
void rest_between_bursts(timer::Ticks ticks);
// Of the scheduler: has this CPU call pump() at that time.
void pump_at(timer::Ticks time);

// Sends what waits for a silent writer's line to end. Where frames are off, a timer calls it every 100 ms.
void tick();

// Sends all that the rings hold, however long it takes: before the board is powered off.
void flush();

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
