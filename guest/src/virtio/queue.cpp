#include "partita/guest/virtio/queue.hpp"

namespace partita::virtio {

using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

namespace {

// §2.7.5, §2.7.6, §2.7.8.
constexpr uint16_t desc_next = 1, desc_write = 2, desc_indirect = 4, no_interrupt = 1;
constexpr uint32_t descriptor_size = 16, ring_entries = 4, available_entry = 2, used_entry = 8;

[[nodiscard]] constexpr uint32_t available_size(uint32_t entries) { return ring_entries + entries * available_entry + 2; }
[[nodiscard]] constexpr uint32_t used_size(uint32_t entries) { return ring_entries + entries * used_entry + 2; }

}  // namespace

const char *words_of(Broken broken) {
    switch (broken) {
        case Broken::no: return "";
        case Broken::outside: return "an address is not in its memory";
        case Broken::jumped: return "the available ring's index jumps";
        case Broken::bad_head: return "a chain begins behind the last descriptor";
        case Broken::bad_next: return "a chain goes on behind the last descriptor";
        case Broken::loops: return "a chain of descriptors has no end";
        case Broken::bad_order: return "a buffer to be read follows one to be written";
        case Broken::bad_table: return "an indirect table is not allowed there, or has a strange size";
        case Broken::too_small: return "a buffer is too small for what comes";
    }
    return "";
}

// Aligned as its largest value is (§2.7), by a power of two: the driver's addresses may not be.
uint8_t *Queue::find(uint64_t address, uint32_t size, uint32_t alignment) {
    uint8_t *const at = (address & (alignment - 1)) == 0 ? memory_.find(address, size) : nullptr;
    if (at == nullptr) breaks(Broken::outside);
    return at;
}

Queue::Step Queue::fail(Broken why) {
    breaks(why);
    return Step::bad;
}

std::optional<uint16_t> Queue::next() {
    if (!usable()) return std::nullopt;
    const uint8_t *const ring = available(available_size(state_.size));
    if (ring == nullptr) return std::nullopt;
    const auto index = load<uint16_t>(ring + 2);
    const auto waiting = static_cast<uint16_t>(index - state_.next);
    if (waiting == 0) return std::nullopt;
    if (waiting > state_.size) {
        breaks(Broken::jumped);
        return std::nullopt;
    }
    const auto head = load<uint16_t>(ring + ring_entries + (state_.next & (state_.size - 1)) * available_entry);
    if (head < state_.size) return head;
    breaks(Broken::bad_head);
    return std::nullopt;
}

Queue::Step Queue::advance(Walk &at, Segment &segment) {
    constexpr uint32_t ended = ~0u;
    if (at.steps == ended) return Step::end;
    if (at.steps++ == state_.size) return fail(Broken::loops);
    const uint8_t *const descriptor = find(at.table + uint64_t{at.index} * descriptor_size, descriptor_size, 4);
    if (descriptor == nullptr) return Step::bad;
    const auto low = load<uint32_t>(descriptor), high = load<uint32_t>(descriptor + 4), size = load<uint32_t>(descriptor + 8);
    const auto flags = load<uint16_t>(descriptor + 12), next = load<uint16_t>(descriptor + 14);
    const uint64_t address = uint64_t{high} << 32 | low;
    if ((flags & desc_indirect) != 0) {
        const bool allowed = features_.indirect && !at.indirect && (flags & desc_next) == 0;
        if (!allowed || size == 0 || size % descriptor_size != 0 || size / descriptor_size > state_.size) return fail(Broken::bad_table);
        at.table = address, at.count = size / descriptor_size, at.index = 0, at.indirect = true;
        return advance(at, segment);  // once at most
    }
    segment = {memory_.find(address, size), size, (flags & desc_write) != 0};
    if (segment.at == nullptr) return fail(Broken::outside);
    if (at.writing && !segment.writable) return fail(Broken::bad_order);
    at.writing = segment.writable;
    at.index = next;
    if ((flags & desc_next) == 0)
        at.steps = ended;
    else if (next >= at.count)
        return fail(Broken::bad_next);
    return Step::segment;
}

void Queue::finish(uint16_t head, uint32_t written) {
    uint8_t *const ring = used(used_size(state_.size));
    if (ring == nullptr) return;
    uint8_t *const entry = ring + ring_entries + (state_.done & (state_.size - 1)) * used_entry;
    store<uint32_t>(entry, head);
    store<uint32_t>(entry + 4, written);
    ++state_.next;
    store<uint16_t>(ring + 2, ++state_.done);
    // It tells of whatever it makes available from here on (§2.7.10).
    if (features_.event_index) store<uint16_t>(ring + used_size(state_.size) - 2, state_.next);
    // What the driver does about its index and this, and what is done here, need one order for both.
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

bool Queue::must_tell() {
    if (!usable() || state_.told == state_.done) return false;
    const uint8_t *const ring = available(available_size(state_.size));
    if (ring == nullptr) return false;
    const uint16_t told = state_.told;
    state_.told = state_.done;
    if (!features_.event_index) return (load<uint16_t>(ring) & no_interrupt) == 0;
    const auto event = load<uint16_t>(ring + available_size(state_.size) - 2);
    return static_cast<uint16_t>(state_.done - event - 1) < static_cast<uint16_t>(state_.done - told);
}

void Queue::resume() {
    if (!usable()) return;
    const uint8_t *const ring = used(used_size(state_.size));
    if (ring == nullptr) return;
    state_.done = state_.next = load<uint16_t>(ring + 2);
    state_.told = static_cast<uint16_t>(state_.done - 1);  // perhaps it was not told of the last
}

}  // namespace partita::virtio
