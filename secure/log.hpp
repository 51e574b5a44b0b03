// What outlives a reset: a log in NOR flash that loses nothing of what was written, whenever the power fails.
//
// Two areas, each one erase block. One is valid: records are appended to it. When it is full, what is still true is copied to the other
// area, which has been erased, and its header is written last: from then on that one is valid, since its generation is higher.
//
// A word that was being written when the power failed may be anything, and something else each time that it is read. So a record begins
// with the word that says how long it is, and ends with a check of all of it; and at each boot what may have been written last is made
// sure of: what is good is written again, what is not is left behind with its area, what looks blank is programmed to zero.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "partita/trusted.h"

namespace partita::secure {

// What a value is found by: a hash of names (storage.cpp).
using Key = std::array<std::uint32_t, 4>;

// A record as it is in flash. Its check is behind its value.
struct Record {
    static constexpr std::uint32_t words_before = 6, words_after = 2, largest = PARTITA_TRUSTED_VALUE;

    std::uint32_t head;   // mark and size of the value in bytes; 0 bytes: there is none any more
    std::uint32_t owner;  // who may have only so many
    Key key;
    std::array<std::uint32_t, largest / 4 + words_after> rest;  // the value, filled up with zeros, and the check

    [[nodiscard]] std::uint32_t size() const { return head & 0xffff; }
    [[nodiscard]] std::uint32_t words() const { return words_before + (size() + 3) / 4 + words_after; }
    [[nodiscard]] std::uint32_t word(std::uint32_t n) const;
};

// What is to be done with the flash now. `at` is a byte's offset in the two areas.
struct FlashCommand {
    enum class Kind : std::uint32_t { none, erase, program };
    Kind kind;
    std::uint32_t at, value;
};

class Log {
public:
    // Some are kept free for owner 0, the secure world itself.
    static constexpr std::uint32_t most_records = 72, most_of_owner = 8, most_of_others = 64;
    static constexpr std::uint32_t smallest_area = 0x2'0000;

    // `flash`: both areas; a word of it is read for what it says now. `random` is for a log that begins.
    void mount(const volatile std::uint32_t* flash, std::uint32_t area_size, const std::array<std::uint32_t, 4>& random);
    // Whether there was no log yet.
    [[nodiscard]] bool is_new() const { return is_new_; }

    // A record of this value, which put() takes: what takes long, without anybody waiting for it.
    void make(std::uint32_t owner, const Key& key, std::span<const std::uint8_t> value, Record& out) const;
    // What a record that was put is told by. It is in flash once is_written().
    struct Ticket {
        std::uint32_t place, change;
    };
    // None: there is no room, or the owner has as many as it may have.
    [[nodiscard]] std::optional<Ticket> put(const Record& record);
    [[nodiscard]] bool is_written(const Ticket& ticket) const;
    // How many bytes of `out` there are; none: there is no such value, or no room for it.
    [[nodiscard]] std::optional<std::uint32_t> get(const Key& key, std::span<std::uint8_t> out) const;

    // One command after the other: next() says which, done() that it was carried out.
    // True: something that was put is in flash now. That takes a command for each word of a record, 8 at least.
    [[nodiscard]] FlashCommand next();
    bool done();

private:
    struct Entry {
        Record record;
        // Of what is in flash, and in the area that is being made, each with the number that the record had then; 0: nothing.
        std::uint32_t change, written, copied;
        [[nodiscard]] bool is_free() const { return change == 0; }
    };
    // What is being written, word by word.
    struct Burst {
        enum class What : std::uint32_t { mended, record, copy, header };
        What what;
        std::uint32_t at, words, done;
        std::uint32_t entry, change;  // of a record
        Record record;
    };

    [[nodiscard]] Entry* find(const Key& key);
    [[nodiscard]] Entry* room_for(std::uint32_t owner);
    [[nodiscard]] bool is_good(const Record& record) const;
    [[nodiscard]] std::uint32_t generation_of(std::uint32_t area) const;
    void read_records();
    [[nodiscard]] bool read_record(std::uint32_t at, Record& out) const;
    [[nodiscard]] Entry* remember(const Record& record);
    [[nodiscard]] bool is_blank(std::uint32_t at) const;
    void begin_header(Burst::What what, std::uint32_t area, std::uint32_t generation);
    [[nodiscard]] bool begin_record(Entry& entry, std::uint32_t& place);
    void begin_spoiling();
    [[nodiscard]] bool begin_burst();
    [[nodiscard]] bool begin_copy();
    void header_is_written();
    void record_is_written();
    static void settle(Entry& entry);

    const volatile std::uint32_t* flash_;
    std::uint32_t area_size_, area_, generation_, changes_;
    std::array<std::uint32_t, 4> salt_;  // nobody makes a value that is a valid record itself
    std::uint32_t end_, copy_end_;       // offsets in the valid area, and in the one that is being made
    std::uint32_t spoil_;                // a slot of the valid area that must not begin a record; 0: none
    std::uint32_t next_entry_;           // to be copied
    bool is_new_, copying_, erased_;
    bool quiet_;  // all is in flash: nothing needs to be looked for
    Burst burst_;
    std::array<Entry, most_records> entries_;
};

}  // namespace partita::secure
