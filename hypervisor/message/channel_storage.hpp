// How much of the pool a channel's messages take: the tool reserves it, and the hypervisor lays it out.
#pragma once

#include <cstdint>

#include "partita/system_image.h"

namespace partita {

// Bytes from one message to the next.
[[nodiscard]] constexpr std::uint32_t channel_stride(const partita_channel& channel) {
    constexpr std::uint32_t word = 8;
    return PARTITA_MESSAGE_HEADER + (channel.message_size + word - 1) / word * word;
}

// Places for messages. Of a sampling channel, each CPU but the sender's can be reading one, one is the latest, and one is being written.
[[nodiscard]] constexpr std::uint32_t channel_messages(const partita_channel& channel, std::uint32_t cpus) {
    if (channel.kind == PARTITA_CHANNEL_QUEUING) return channel.depth;
    return channel.kind == PARTITA_CHANNEL_SAMPLING ? cpus + 1 : 0;
}

[[nodiscard]] constexpr std::uint64_t channel_size(const partita_channel& channel, std::uint32_t cpus) {
    return std::uint64_t{channel_messages(channel, cpus)} * channel_stride(channel);
}

}  // namespace partita
