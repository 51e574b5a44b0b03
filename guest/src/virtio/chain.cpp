#include "partita/guest/virtio/chain.hpp"

#include <algorithm>
#include <cstring>

namespace partita::virtio {

using std::uint16_t;
using std::uint32_t;
using std::uint8_t;

std::optional<uint32_t> gather(Queue &queue, uint16_t head, uint32_t at, std::span<uint8_t> room) {
    uint32_t size = 0;
    const bool good = queue.walk(head, [&](const Segment &segment) {
        if (segment.writable) return false;
        const uint32_t skipped = size < at ? std::min(at - size, segment.size) : 0;
        const std::size_t part = std::min<std::size_t>(segment.size - skipped, room.size());
        std::memcpy(room.data(), segment.at + skipped, part);
        room = room.subspan(part);
        size += std::min(segment.size, ~0u - size);
        return true;
    });
    return good ? std::optional{size} : std::nullopt;
}

uint32_t room_in(Queue &queue, uint16_t head, uint32_t wanted) {
    uint32_t size = 0;
    const bool good = queue.walk(head, [&](const Segment &segment) {
        if (segment.writable) size += std::min(segment.size, wanted - size);
        return size < wanted;
    });
    return good ? size : 0;
}

void scatter(Queue &queue, uint16_t head, uint32_t at, std::span<const uint8_t> bytes) {
    (void)queue.walk(head, [&](const Segment &segment) {
        if (!segment.writable) return true;
        const uint32_t skipped = std::min(at, segment.size);
        at -= skipped;
        const std::size_t part = std::min<std::size_t>(segment.size - skipped, bytes.size());
        std::memcpy(segment.at + skipped, bytes.data(), part);
        bytes = bytes.subspan(part);
        return !bytes.empty();
    });
}

}  // namespace partita::virtio
