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

template <typename Words>
[[nodiscard]] bool test(const Words &words, uint32_t n) {
    return (words[n / 32] >> n % 32 & 1) != 0;
}
template <typename Words>
void set(Words &words, uint32_t n) {
    store<uint32_t>(&words[n / 32], words[n / 32] | 1u << n % 32);
}
template <typename Words>
void clear(Words &words, uint32_t n) {
    store<uint32_t>(&words[n / 32], words[n / 32] & ~(1u << n % 32));
}

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
        case Broken::twice: return "a chain is made available twice";
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

std::optional<uint16_t> Queue::none(Broken why) {
    breaks(why);
    return std::nullopt;
}

std::optional<uint16_t> Queue::first_again() const {
    for (uint32_t word = 0; word < state_.again.size(); ++word)
        if (state_.again[word] != 0) return static_cast<uint16_t>(word * 32 + static_cast<uint32_t>(__builtin_ctz(state_.again[word])));
    return std::nullopt;
}

// Chains that the driver made available and the device has not taken. Before it says that there are none, the driver knows that it is to
// notify of the next (§2.7.10): what the driver does about its index and this, and what is done here, need one order for both.
uint16_t Queue::waiting(const uint8_t *ring, Notify notify) {
    const auto count = [&] { return static_cast<uint16_t>(load<uint16_t>(ring + 2) - state_.next); };
    const uint16_t now = count();
    if (now != 0 || !features_.event_index || notify == Notify::no) return now;
    uint8_t *const part = used(used_size(state_.size));
    if (part == nullptr) return 0;
    uint8_t *const event = part + used_size(state_.size) - 2;
    if (load<uint16_t>(event) == state_.next) return 0;
    store<uint16_t>(event, state_.next);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return count();
}

std::optional<uint16_t> Queue::next(Notify notify) {
    if (!usable()) return std::nullopt;
    if (const auto head = first_again()) return *head < state_.size ? head : none(Broken::bad_head);
    const uint8_t *const ring = available(available_size(state_.size));
    if (ring == nullptr) return std::nullopt;
    const uint16_t count = waiting(ring, notify);
    if (count == 0) return std::nullopt;
    if (count > state_.size) return none(Broken::jumped);
    const auto head = load<uint16_t>(ring + ring_entries + (state_.next & (state_.size - 1)) * available_entry);
    if (head >= state_.size) return none(Broken::bad_head);
    if (test(state_.taken, head)) return none(Broken::twice);
    return head;
}

// Its bit says that it is the device's, and state.next follows from all bits (resume()).
void Queue::take(uint16_t head) {
    const bool anew = test(state_.again, head);
    set(state_.taken, head);
    if (anew) return clear(state_.again, head);
    store<uint16_t>(&state_.next, static_cast<uint16_t>(state_.next + 1));
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
        at.steps = 0;                 // a table may be as long as the queue (§2.7.5.3.1)
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

void Queue::put_back(uint16_t head) {
    set(state_.again, head);
    clear(state_.taken, head);
}

// The order of the stores is what resume() relies on.
void Queue::finish(std::span<const Finished> all) {
    uint8_t *const ring = used(used_size(state_.size));
    if (ring == nullptr) return;
    uint16_t done = state_.done;
    for (const Finished &one : all) {
        uint8_t *const entry = ring + ring_entries + (done++ & (state_.size - 1)) * used_entry;
        store<uint32_t>(entry, one.head);
        store<uint32_t>(entry + 4, one.written);
    }
    store<uint16_t>(&state_.finishing, static_cast<uint16_t>(all.size()));
    store<uint16_t>(ring + 2, done);
    for (const Finished &one : all) clear(state_.taken, one.head);
    store<uint16_t>(&state_.done, done);
    store<uint16_t>(&state_.finishing, 0);
}

bool Queue::must_tell() {
    if (!usable() || state_.told == state_.done) return false;
    const uint8_t *const ring = available(available_size(state_.size));
    if (ring == nullptr) return false;
    const uint16_t told = state_.told;
    state_.told = state_.done;
    // What was finished, and what the driver wants to know of then, need one order for both (§2.7.7).
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!features_.event_index) return (load<uint16_t>(ring) & no_interrupt) == 0;
    const auto event = load<uint16_t>(ring + available_size(state_.size) - 2);
    return static_cast<uint16_t>(state_.done - event - 1) < static_cast<uint16_t>(state_.done - told);
}

// What was being finished is the driver's if its index says so: until the device's own count follows, that is behind. Which they were is in
// the used ring; a driver that writes there harms itself alone.
void Queue::resume() {
    if (!usable()) return;
    const uint8_t *const ring = used(used_size(state_.size));
    if (ring == nullptr) return;
    const auto end = static_cast<uint16_t>(state_.done + state_.finishing);
    if (state_.finishing != 0 && state_.finishing <= state_.size && load<uint16_t>(ring + 2) == end) {
        for (uint16_t n = state_.done; n != end; ++n)
            if (const auto head = load<uint32_t>(ring + ring_entries + (n & (state_.size - 1)) * used_entry); head < state_.size)
                clear(state_.taken, head);
        store<uint16_t>(&state_.done, end);
    }
    store<uint16_t>(&state_.finishing, 0);
    uint32_t had = 0;
    for (uint32_t word = 0; word < state_.again.size(); ++word) {
        store<uint32_t>(&state_.again[word], state_.again[word] | state_.taken[word]);
        store<uint32_t>(&state_.taken[word], 0);
        for (uint32_t bits = state_.again[word]; bits != 0; bits &= bits - 1) ++had;
    }
    store<uint16_t>(&state_.next, static_cast<uint16_t>(state_.done + had));
    state_.told = static_cast<uint16_t>(state_.done - state_.size);  // perhaps it was not told of any that it can still wait for
}

}  // namespace partita::virtio
