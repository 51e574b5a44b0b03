#include "partita/guest/virtio/block_requests.hpp"

#include <utility>

namespace partita::virtio {

using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

namespace {

// §5.2.6, by Disk::Action.
constexpr std::array<uint8_t, 5> types{0, 1, 4, 13, 11};
[[nodiscard]] bool has_range(Disk::Action action) { return action == Disk::Action::zero || action == Disk::Action::discard; }

[[nodiscard]] Disk::Result result_of(uint8_t status) {
    return status <= static_cast<uint8_t>(Disk::Result::unsupported) ? static_cast<Disk::Result>(status) : Disk::Result::failed;
}

}  // namespace

Disk::Result BlockRequests::begin(const Disk::Request &request, RequestOwner &owner) {
    if (request.parts.size() > most_parts) return Disk::Result::failed;
    if (queue_.free() == 0) return Disk::Result::full;
    const uint16_t number = queue_.next();
    Slot &slot = slots_[number];
    asked_[number] = {&owner, request.tag};
    const uint64_t sector = request.at / sector_size;
    const bool range = has_range(request.action);
    slot.header = {.type = types[static_cast<std::size_t>(request.action)], .reserved = 0, .sector = range ? 0 : sector};
    slot.range = {.sector = sector, .sectors = static_cast<uint32_t>(request.size / sector_size), .flags = 0};
    slot.status = static_cast<uint8_t>(Disk::Result::failed);
    uint32_t count = 0;
    const auto add = [&](const void *at, uint32_t size, uint16_t flags) {
        const auto then = static_cast<uint16_t>(count + 1);
        slot.table[count++] = {device_address(at), size, static_cast<uint16_t>(flags | Descriptor::next), then};
    };
    add(&slot.header, sizeof slot.header, 0);
    if (range) add(&slot.range, sizeof slot.range, 0);
    const uint16_t direction = request.action == Disk::Action::read ? Descriptor::device_writes : 0;
    for (const Segment &part : request.parts) add(part.at, part.size, direction);
    add(&slot.status, 1, Descriptor::device_writes);
    slot.table[count - 1].flags = Descriptor::device_writes;  // the last
    queue_.offer(slot.table.data(), count * static_cast<uint32_t>(sizeof(Descriptor)), Descriptor::indirect);
    return Disk::Result::later;
}

void BlockRequests::finish() {
    while (const auto done = queue_.finished()) {
        const Asked asked = std::exchange(asked_[done->number], {});
        asked.owner->ended(asked.tag, result_of(load<uint8_t>(&slots_[done->number].status)));
    }
}

void BlockRequests::fail() {
    for (Asked &each : asked_)
        if (const Asked asked = std::exchange(each, {}); asked.owner != nullptr) asked.owner->ended(asked.tag, Disk::Result::failed);
}

}  // namespace partita::virtio
