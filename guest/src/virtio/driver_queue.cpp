#include "partita/guest/virtio/driver_queue.hpp"

#include "partita/guest/guest.h"

namespace partita::virtio {

using std::uint16_t;
using std::uint32_t;

void DriverQueue::open(uint32_t entries, bool event_index) {
    memory_ = Memory{};
    entries_ = free_count_ = entries;
    for (uint32_t n = 0; n < entries; ++n) free_list_[n] = static_cast<uint16_t>(entries - 1 - n);
    begun_ = {};
    offered_ = published_ = seen_ = 0;
    event_index_ = event_index;
    broken_ = false;
}

void DriverQueue::offer(const void *at, uint32_t size, uint16_t flags) {
    const uint16_t number = free_list_[--free_count_];
    memory_.descriptors[number] = {.address = device_address(at), .size = size, .flags = flags, .then = 0};
    begun_[number] = true;
    memory_.available.ring[offered_++ & (entries_ - 1)] = number;
}

// The device sees what was described before it sees the index, and the index before this looks whether it wants to know (§2.7.13).
bool DriverQueue::publish() {
    const uint16_t before = published_;
    if (offered_ == before) return false;
    device_barrier();
    store<uint16_t>(&memory_.available.index, offered_);
    published_ = offered_;
    device_barrier();
    constexpr uint16_t no_notify = 1;
    if (!event_index_) return (load<uint16_t>(&memory_.used.flags) & no_notify) == 0;
    const auto event = load<uint16_t>(available_event());
    return static_cast<uint16_t>(offered_ - event - 1) < static_cast<uint16_t>(offered_ - before);
}

std::optional<DriverQueue::Done> DriverQueue::finished(Interrupt interrupt) {
    if (broken_) return std::nullopt;
    if (load<uint16_t>(&memory_.used.index) == seen_) {
        if (interrupt == Interrupt::no || !event_index_ || *used_event() == seen_) return std::nullopt;
        store<uint16_t>(used_event(), seen_);
        device_barrier();
        if (load<uint16_t>(&memory_.used.index) == seen_) return std::nullopt;
    }
    device_barrier();
    const auto &entry = memory_.used.ring[seen_ & (entries_ - 1)];
    const auto number = load<uint32_t>(&entry.id);
    broken_ = number >= entries_ || !begun_[number];
    if (broken_) return std::nullopt;
    ++seen_;
    begun_[number] = false;
    free_list_[free_count_++] = static_cast<uint16_t>(number);
    return Done{static_cast<uint16_t>(number), load<uint32_t>(&entry.size)};
}

}  // namespace partita::virtio
