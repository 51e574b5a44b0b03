// A split virtqueue (Virtual I/O Device 1.2 §2.7), from the device's side. Nothing that the driver wrote is believed: indices that jump,
// chains that loop or leave its memory, and descriptors in the wrong order break the queue, and the device needs a reset.
//
// A chain is the driver's until take(), then the device's until finish(); chains may be finished in any order. A server may end between any
// two instructions: what it leaves in QueueState says to the next one which chains the device has.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "partita/guest/virtio/memory.hpp"

namespace partita::virtio {

inline constexpr std::uint32_t most_entries = 256;  // of a queue

// Where it is, and how far. It may lie in memory that outlives its server.
struct QueueState {
    std::uint64_t descriptors, available, used;  // addresses of the client
    std::uint32_t size;                          // entries: a power of two
    std::uint32_t ready;                         // 1: the driver uses it
    std::uint32_t align, page;                   // of version 1: QueueAlign, QueuePFN
    std::uint16_t next;                          // entry of the available ring that comes next, counted on for ever: done and all taken
    std::uint16_t done;                          // entries that were put into the used ring
    std::uint16_t told;                          // ... when the driver was interrupted last
    std::uint16_t broken;                        // enum Broken
    std::uint16_t finishing;                     // so many are just put into the used ring
    // A bit for each first descriptor: of chains that the device has, and of those that another server had, to be begun anew.
    std::array<std::uint32_t, most_entries / 32> taken, again;
};

enum class Broken : std::uint16_t {
    no,
    outside,    // a part of the queue, or a buffer, is not in the client's memory
    jumped,     // the available ring's index is further ahead than the queue is long
    bad_head,   // a chain begins behind the last descriptor
    bad_next,   // ... or goes on there
    loops,      // a chain is longer than the queue
    bad_order,  // what the device reads follows what it writes
    bad_table,  // an indirect table inside another, in the middle of a chain, or of a strange size
    too_small,  // its buffers cannot hold what comes
    twice,      // a chain is made available that the device has already
};
[[nodiscard]] const char *words_of(Broken broken);

struct Segment {
    std::uint8_t *at;
    std::uint32_t size;
    bool writable;  // for the device
};

class Queue {
public:
    struct Features {
        bool indirect = false, event_index = false;
    };

    Queue(QueueState &state, const ClientMemory &memory, Features features) : state_(state), memory_(memory), features_(features) {}

    enum class Notify : bool { no, yes };
    // The first descriptor of the next chain that the driver made available, until it is taken. None: there is none (yet), and the driver
    // will notify of the next, if that is asked for; or the queue is broken.
    [[nodiscard]] std::optional<std::uint16_t> next(Notify notify = Notify::yes);
    // What next() gave is the device's now.
    void take(std::uint16_t head);
    // Calls visit(Segment) for each part of a chain until it returns false. False: the chain is no good, and the queue broken.
    template <typename Visit>
    bool walk(std::uint16_t head, Visit &&visit) {
        Walk at{state_.descriptors, state_.size, head, false, false, 0};
        Segment segment{};
        for (;;) {
            const Step step = advance(at, segment);
            if (step == Step::bad) return false;
            if (step == Step::end || !visit(segment)) return true;
        }
    }
    // What was taken is to come again, by next().
    void put_back(std::uint16_t head);
    // A chain that was taken is the driver's again, with so many bytes written.
    struct Finished {
        std::uint16_t head;
        std::uint32_t written;
    };
    void finish(std::uint16_t head, std::uint32_t written) {
        const Finished one{head, written};
        finish({&one, 1});
    }
    // Several are, of which the driver sees all or none.
    void finish(std::span<const Finished> all);
    // Whether the driver wants to know of what was finished since it was told last; it counts as told then.
    [[nodiscard]] bool must_tell();
    // The server is another than that which used the queue before: what the device had comes again, by next().
    void resume();
    void breaks(Broken why) { state_.broken = static_cast<std::uint16_t>(why); }

private:
    struct Walk {
        std::uint64_t table;
        std::uint32_t count, index;
        bool indirect, writing;
        std::uint32_t steps;  // all ones: the chain has ended
    };
    enum class Step { segment, end, bad };
    [[nodiscard]] Step advance(Walk &at, Segment &segment);
    [[nodiscard]] Step fail(Broken why);
    [[nodiscard]] std::optional<std::uint16_t> first_again() const;
    [[nodiscard]] std::uint16_t waiting(const std::uint8_t *ring, Notify notify);
    [[nodiscard]] std::optional<std::uint16_t> none(Broken why);
    [[nodiscard]] bool usable() const { return state_.ready != 0 && state_.broken == 0 && state_.size - 1 < most_entries; }
    [[nodiscard]] std::uint8_t *available(std::uint32_t size) { return find(state_.available, size, 2); }
    [[nodiscard]] std::uint8_t *used(std::uint32_t size) { return find(state_.used, size, 4); }
    [[nodiscard]] std::uint8_t *find(std::uint64_t address, std::uint32_t size, std::uint32_t alignment);

    QueueState &state_;
    const ClientMemory &memory_;
    Features features_;
};

}  // namespace partita::virtio
