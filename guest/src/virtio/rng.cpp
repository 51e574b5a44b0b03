#include "partita/guest/virtio/rng.hpp"

#include <algorithm>

namespace partita::virtio {

using std::uint32_t;

namespace {

// Bytes for a buffer, and buffers until others have their turn: a driver that asks for more gets it in parts (§5.4.6).
constexpr uint32_t most_bytes = 4096, most_at_once = 4;

}  // namespace

// What it was notified of before it was ready is looked at then.
void Rng::write(uint32_t offset, uint32_t size, uint32_t value) {
    const bool ran = transport_.runs();
    transport_.write(offset, size, value);
    if (!ran && transport_.runs()) notified();
}

void Rng::resume() {
    if (!transport_.runs()) return;
    transport_.queue(0).resume();
    notified();
}

void Rng::notified() {
    busy_ = false;
    if (!transport_.runs()) return;
    Queue queue = transport_.queue(0);
    uint32_t filled = 0;
    for (; filled < most_at_once; ++filled) {
        const auto head = queue.next();
        uint32_t written = 0;
        if (!head || !queue.walk(*head, [&](const Segment &segment) {
                if (!segment.writable) return true;
                const uint32_t bytes = std::min(segment.size, most_bytes - written);
                source_.fill({segment.at, bytes});
                written += bytes;
                return written < most_bytes;
            }))
            break;
        queue.take(*head);
        queue.finish(*head, written);
    }
    busy_ = filled == most_at_once;
    const auto broken = [this](uint32_t which, Broken why) { source_.broken(which, why); };
    if (const uint32_t bits = transport_.conclude(broken); bits != 0) source_.interrupt(bits);
}

}  // namespace partita::virtio
