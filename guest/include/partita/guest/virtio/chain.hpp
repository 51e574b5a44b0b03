// Bytes of a chain of buffers, counted from the first that the device reads, or writes. What a driver got wrong breaks the queue.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "partita/guest/virtio/queue.hpp"

namespace partita::virtio {

// Those from `at` on that the device reads, as far as there is room: all that there were in the chain. None: the queue is broken.
[[nodiscard]] std::optional<std::uint32_t> gather(Queue &queue, std::uint16_t head, std::uint32_t at, std::span<std::uint8_t> room);
// How much a chain has room for, up to that.
[[nodiscard]] std::uint32_t room_in(Queue &queue, std::uint16_t head, std::uint32_t wanted);
// Puts bytes there, as far as there is room.
void scatter(Queue &queue, std::uint16_t head, std::uint32_t at, std::span<const std::uint8_t> bytes);

}  // namespace partita::virtio
