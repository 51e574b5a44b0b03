#include "partita/guest/virtio/network_driver.hpp"

namespace partita::virtio {

using std::uint32_t;
using std::uint64_t;

namespace {

constexpr uint64_t feature_checksum = 1u << 0, feature_guest_checksum = 1u << 1, feature_mac = 1u << 5;

}  // namespace

const char *NetworkDriver::open(uint32_t function) {
    constexpr uint64_t wanted = feature_checksum | feature_guest_checksum | feature_mac | feature_event_index;
    if (const char *const why = device_.open(function, wanted, 0); why != nullptr) return why;
    if (!open_queues()) return "it lacks a queue";
    while (arrived_.free() != 0) offer_buffer();
    const bool notify = arrived_.publish();
    device_.start();
    if (notify) device_.notify(from_outside);
    return nullptr;
}

bool NetworkDriver::open_queues() {
    return device_.add_queue(from_outside, arrived_, most_frames) && device_.add_queue(to_outside, sent_, most_frames);
}

Offloads NetworkDriver::offloads() const { return {.checksum = device_.has(feature_checksum)}; }

void NetworkDriver::offer_buffer() {
    Buffer &buffer = in_[arrived_.next()];
    arrived_.offer(&buffer, sizeof buffer, Descriptor::device_writes);
}

// What the card has sent is looked for where there is something to send: it need not interrupt for that.
bool NetworkDriver::send(const Frame &frame) {
    while (sent_.finished(DriverQueue::Interrupt::no)) continue;
    if (sent_.free() == 0 || frame.size > out_[0].bytes.size()) return false;
    Buffer &buffer = out_[sent_.next()];
    buffer.header = frame.header;
    buffer.header.buffers = 0;
    copy(frame, 0, std::span{buffer.bytes}.first(frame.size));
    sent_.offer(&buffer, static_cast<uint32_t>(sizeof buffer.header) + frame.size, 0);
    return true;
}

void NetworkDriver::commit() {
    if (sent_.publish()) device_.notify(to_outside);
}

}  // namespace partita::virtio
