#include "log.hpp"

#include <bearssl.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace partita::secure {

using std::uint32_t;

namespace {

constexpr uint32_t slot = 64;  // bytes: records begin at multiples of it
constexpr uint32_t slot_words = slot / 4;
constexpr uint32_t blank = ~0u;
constexpr uint32_t record_mark = 0x5243'0000, mark_mask = 0xffff'0000;

// The first slot of an area; written when all behind it is.
struct Header {
    static constexpr uint32_t valid = 0x474f'4c50;  // "PLOG"
    uint32_t magic, generation;
    std::array<uint32_t, 4> salt;
    std::array<uint32_t, 2> check;
};
constexpr uint32_t header_words = sizeof(Header) / 4;

using Check = std::array<uint32_t, 2>;

[[nodiscard]] Check check_of(const std::array<uint32_t, 4>& salt, const uint32_t* words, uint32_t count) {
    std::array<std::uint8_t, br_sha256_SIZE> hash;
    br_sha256_context context;
    br_sha256_init(&context);
    br_sha256_update(&context, salt.data(), sizeof salt);
    br_sha256_update(&context, words, std::size_t{count} * 4);
    br_sha256_out(&context, hash.data());
    Check out;
    std::memcpy(out.data(), hash.data(), sizeof out);
    return out;
}

[[nodiscard]] Check check_of(const Header& header) { return check_of(header.salt, &header.magic, 2); }

[[nodiscard]] uint32_t slots_of(const Record& record) { return (record.words() + slot_words - 1) / slot_words; }

}  // namespace

uint32_t Record::word(uint32_t n) const {
    if (n == 0) return head;
    if (n == 1) return owner;
    return n < words_before ? key[n - 2] : rest[n - words_before];
}

void Log::mount(const volatile uint32_t* flash, uint32_t area_size, const std::array<uint32_t, 4>& random) {
    flash_ = flash;
    area_size_ = area_size;
    area_ = generation_ = changes_ = spoil_ = burst_.words = 0;
    copying_ = erased_ = quiet_ = false;
    for (Entry& entry : entries_) entry = {};
    const uint32_t first = generation_of(0), second = generation_of(1);
    is_new_ = first == 0 && second == 0;
    if (is_new_) {
        salt_ = random;
        area_ = 1;  // the other one is made
        copying_ = true;
        return;
    }
    area_ = second > first ? 1 : 0;
    generation_ = std::max(first, second);
    for (uint32_t n = 0; n < salt_.size(); ++n) salt_[n] = flash_[area_ * area_size_ / 4 + offsetof(Header, salt) / 4 + n];
    // A header that was being written may be valid the next time. One word of it is not enough, so a blank one will not.
    copying_ = (area_ == 0 ? second : first) == 0 && !is_blank((1 - area_) * area_size_);
    read_records();
    begin_header(Burst::What::mended, area_, generation_);
}

bool Log::is_blank(uint32_t at) const {
    for (uint32_t n = 0; n < slot_words; ++n)
        if (flash_[at / 4 + n] != blank) return false;
    return true;
}

// 0: it has none that is valid.
uint32_t Log::generation_of(uint32_t area) const {
    std::array<uint32_t, header_words> words;
    Header header;
    for (uint32_t n = 0; n < header_words; ++n) words[n] = flash_[area * area_size_ / 4 + n];
    std::memcpy(&header, words.data(), sizeof header);
    return header.magic == Header::valid && header.check == check_of(header) ? header.generation : 0;
}

void Log::make(uint32_t owner, const Key& key, std::span<const std::uint8_t> value, Record& out) const {
    const auto size = static_cast<uint32_t>(value.size());
    out.head = record_mark | size;
    out.owner = owner;
    out.key = key;
    const uint32_t words = (size + 3) / 4;
    std::fill_n(out.rest.begin(), words, 0u);
    std::memcpy(out.rest.data(), value.data(), size);
    const Check check = check_of(salt_, &out.head, Record::words_before + words);
    std::copy(check.begin(), check.end(), out.rest.begin() + words);
}

bool Log::is_good(const Record& record) const {
    const uint32_t before_check = record.words() - Record::words_after;
    const Check check = check_of(salt_, &record.head, before_check);
    return std::equal(check.begin(), check.end(), &record.rest[before_check - Record::words_before]);
}

// False: none begins here. One whose check is wrong says all the same how long it was to be.
bool Log::read_record(uint32_t at, Record& out) const {
    const uint32_t first = (area_ * area_size_ + at) / 4;
    out.head = flash_[first];
    if ((out.head & mark_mask) != record_mark || out.size() > Record::largest || out.words() * 4 > area_size_ - at) return false;
    out.owner = flash_[first + 1];
    for (uint32_t n = 2; n < out.words(); ++n)
        (n < Record::words_before ? out.key[n - 2] : out.rest[n - Record::words_before]) = flash_[first + n];
    return true;
}

// A good record that is the last one may have been the last thing that was written: it is written once more. One that is not good may be
// the next time: the other area will not have it.
void Log::read_records() {
    Record& record = burst_.record;
    uint32_t end = slot;
    Entry* last = nullptr;
    bool torn = false;
    for (uint32_t at = slot; at < area_size_;) {
        const bool begins = read_record(at, record), used = begins || !is_blank(area_ * area_size_ + at);
        at += begins ? slots_of(record) * slot : slot;
        if (!used) continue;
        end = at;
        if (last != nullptr) settle(*last);
        torn = !begins || !is_good(record);
        last = torn ? nullptr : remember(record);
    }
    if (last != nullptr) last->change = ++changes_;
    copying_ = copying_ || torn;
    spoil_ = end < area_size_ ? end : 0;
    end_ = end + slot;
}

Log::Entry* Log::remember(const Record& record) {
    Entry* entry = find(record.key);
    if (entry == nullptr) entry = room_for(record.owner);
    if (entry == nullptr) return nullptr;  // there was room for all that were put
    entry->record = record;
    entry->change = entry->written = ++changes_;
    return entry;
}

Log::Entry* Log::find(const Key& key) {
    for (Entry& entry : entries_)
        if (!entry.is_free() && entry.record.key == key) return &entry;
    return nullptr;
}

Log::Entry* Log::room_for(uint32_t owner) {
    uint32_t has = 0, others = 0;
    Entry* out = nullptr;
    for (Entry& entry : entries_) {
        if (entry.is_free()) {
            out = &entry;
            continue;
        }
        if (entry.record.owner == owner) ++has;
        if (entry.record.owner != 0) ++others;
    }
    return has < most_of_owner && (owner == 0 || others < most_of_others) ? out : nullptr;
}

std::optional<Log::Ticket> Log::put(const Record& record) {
    Entry* entry = find(record.key);
    if (entry == nullptr && record.size() == 0) return Ticket{0, 0};  // there was none
    if (entry == nullptr) entry = room_for(record.owner);
    if (entry == nullptr) return std::nullopt;
    entry->record = record;
    entry->change = ++changes_;
    quiet_ = false;
    return Ticket{static_cast<uint32_t>(entry - entries_.data()), entry->change};
}

// An entry that has become another's was written before that.
bool Log::is_written(const Ticket& ticket) const {
    const Entry& entry = entries_[ticket.place];
    return entry.is_free() || entry.written >= ticket.change || ticket.change == 0;
}

std::optional<uint32_t> Log::get(const Key& key, std::span<std::uint8_t> out) const {
    for (const Entry& entry : entries_) {
        if (entry.is_free() || entry.record.key != key) continue;
        const uint32_t size = entry.record.size();
        if (size == 0 || size > out.size()) return std::nullopt;
        std::memcpy(out.data(), entry.record.rest.data(), size);
        return size;
    }
    return std::nullopt;
}

void Log::begin_header(Burst::What what, uint32_t area, uint32_t generation) {
    Header header{Header::valid, generation, salt_, {}};
    header.check = check_of(header);
    std::array<uint32_t, header_words> words;
    std::memcpy(words.data(), &header, sizeof header);
    burst_.record.head = words[0];
    burst_.record.owner = words[1];
    std::copy_n(words.begin() + 2, burst_.record.key.size(), burst_.record.key.begin());
    std::copy(words.begin() + Record::words_before, words.end(), burst_.record.rest.begin());
    burst_.what = what;
    burst_.at = area * area_size_;
    burst_.words = header_words;
    burst_.done = 0;
}

// A record that was begun there may look blank now, and say another time how long it is: whatever follows it would not be found.
void Log::begin_spoiling() {
    burst_.what = Burst::What::mended;
    burst_.at = area_ * area_size_ + spoil_;
    burst_.words = 1;
    burst_.done = 0;
    burst_.record.head = 0;
    spoil_ = 0;
}

// A record as it is now, at `place` of the area that it goes to, which is its end then. False: there is no room.
bool Log::begin_record(Entry& entry, uint32_t& place) {
    const uint32_t size = slots_of(entry.record) * slot;
    if (size > area_size_ - std::min(place, area_size_)) return false;
    burst_.what = copying_ ? Burst::What::copy : Burst::What::record;
    burst_.record = entry.record;
    burst_.at = (copying_ ? 1 - area_ : area_) * area_size_ + place;
    burst_.words = entry.record.words();
    burst_.done = 0;
    burst_.entry = static_cast<uint32_t>(&entry - entries_.data());
    burst_.change = entry.change;
    place += size;
    return true;
}

// What comes next of the area that is being made. All that there is fits into one.
bool Log::begin_copy() {
    static_assert(slot + most_records * ((sizeof(Record) + slot - 1) / slot) * slot <= smallest_area);
    while (next_entry_ < entries_.size()) {
        Entry& entry = entries_[next_entry_++];
        entry.copied = entry.change;
        if (entry.record.size() != 0 && !entry.is_free() && begin_record(entry, copy_end_)) return true;
    }
    begin_header(Burst::What::header, 1 - area_, generation_ + 1);
    return true;
}

// Finds what is to be written next. False: all is in flash, or there is no room for the rest.
bool Log::begin_burst() {
    if (spoil_ != 0) return begin_spoiling(), true;
    if (copying_) return erased_ && begin_copy();
    if (quiet_) return false;
    for (Entry& entry : entries_) {
        if (entry.written == entry.change) continue;
        copying_ = !begin_record(entry, end_);
        return !copying_;
    }
    quiet_ = true;
    return false;
}

FlashCommand Log::next() {
    using Kind = FlashCommand::Kind;
    if (burst_.words != 0 || begin_burst()) return {Kind::program, burst_.at + burst_.done * 4, burst_.record.word(burst_.done)};
    return copying_ ? FlashCommand{Kind::erase, (1 - area_) * area_size_, 0} : FlashCommand{Kind::none, 0, 0};
}

bool Log::done() {
    if (burst_.words == 0) {
        erased_ = true;
        copy_end_ = slot;
        next_entry_ = 0;
        return false;
    }
    if (++burst_.done < burst_.words) return false;
    burst_.words = 0;
    if (burst_.what == Burst::What::header) header_is_written();
    if (burst_.what == Burst::What::record) record_is_written();
    return burst_.what == Burst::What::header || burst_.what == Burst::What::record;
}

void Log::record_is_written() {
    Entry& entry = entries_[burst_.entry];
    entry.written = std::max(entry.written, burst_.change);
    settle(entry);
}

void Log::header_is_written() {
    area_ = 1 - area_;
    ++generation_;
    end_ = copy_end_;
    copying_ = erased_ = false;
    for (Entry& entry : entries_) {
        entry.written = std::max(entry.written, entry.copied);
        entry.copied = 0;
        settle(entry);
    }
}

// One that there is none of any more, in flash either, is free.
void Log::settle(Entry& entry) {
    if (entry.record.size() == 0 && entry.written == entry.change) entry = {};
}

}  // namespace partita::secure
