#include "partita/guest/virtio/block_driver.hpp"

#include "partita/guest/guest.h"

namespace partita::virtio {

using std::uint32_t;
using std::uint64_t;

namespace {

constexpr uint64_t feature_read_only = 1u << 5, feature_block_size = 1u << 6, feature_flush = 1u << 9, feature_discard = 1u << 13,
                   feature_write_zeroes = 1u << 14;
// §5.2.4: offsets in its configuration.
constexpr uint32_t capacity_at = 0, block_size_at = 20, most_discarded_at = 36, most_zeroed_at = 48;

}  // namespace

const char *BlockDriver::open(uint32_t function) {
    constexpr uint64_t wanted =
        feature_read_only | feature_block_size | feature_flush | feature_discard | feature_write_zeroes | feature_event_index;
    if (const char *const why = device_.open(function, wanted, feature_indirect); why != nullptr) return why;
    if (!device_.add_queue(0, requests_.queue(), BlockRequests::most)) return "it has no queue";
    sectors_ = device_.configuration<uint32_t>(capacity_at) | uint64_t{device_.configuration<uint32_t>(capacity_at + 4)} << 32;
    block_size_ = device_.has(feature_block_size) ? device_.configuration<uint32_t>(block_size_at) : sector_size;
    device_.start();
    return nullptr;
}

bool BlockDriver::read_only() const { return device_.has(feature_read_only); }
bool BlockDriver::discards() const {
    return device_.has(feature_discard) && device_.configuration<uint32_t>(most_discarded_at) >= most_cleared_sectors;
}
bool BlockDriver::zeroes() const {
    return device_.has(feature_write_zeroes) && device_.configuration<uint32_t>(most_zeroed_at) >= most_cleared_sectors;
}

// Where it has no flushes, nothing is kept back that they would write (§5.2.5).
Disk::Result BlockDriver::begin(const Disk::Request &request, RequestOwner &owner) {
    if (request.action == Disk::Action::flush && !device_.has(feature_flush)) return Disk::Result::ok;
    return broken() ? Disk::Result::failed : requests_.begin(request, owner);
}

void BlockDriver::commit() {
    if (requests_.queue().publish()) device_.notify(0);
}

// A disk that said what cannot be is stopped before the memory that it was given is anybody's again.
void BlockDriver::finish() {
    requests_.finish();
    if (broken() && device_.stop()) requests_.fail();
}

bool BlockDriver::read_now(uint64_t at, std::span<uint8_t> to) {
    struct Waiting final : RequestOwner {
        void ended(uint32_t, Disk::Result how) override { result = how; }
        Disk::Result result = Disk::Result::later;
    } waiting;
    const Segment part{to.data(), static_cast<uint32_t>(to.size()), true};
    if (begin({.action = Disk::Action::read, .at = at, .size = to.size(), .parts = {&part, 1}, .tag = 0}, waiting) != Disk::Result::later)
        return false;
    commit();
    const uint64_t end = timer_now() + uint64_t{timer_frequency()} * 5;
    while (waiting.result == Disk::Result::later && timer_now() < end) finish();
    if (waiting.result == Disk::Result::later) {  // nobody would be there when it ended
        (void)device_.stop();
        requests_.queue().give_up();
        requests_.fail();
    }
    return waiting.result == Disk::Result::ok;
}

}  // namespace partita::virtio
