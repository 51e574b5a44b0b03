#include "gpt.hpp"

#include <array>
#include <cstring>
#include <optional>

namespace partita::parent {

using std::uint32_t;
using std::uint64_t;
using std::uint8_t;
using Problem = GptResult::Problem;

namespace {

constexpr uint32_t sector_size = 512;
constexpr uint32_t smallest_header = 92, entry_size = 128, most_entries = 1024;
constexpr uint32_t name_at = 56, name_units = 36;  // of an entry; UTF-16

// Table 5-5.
struct Header {
    std::array<char, 8> signature;
    uint32_t revision, size, checksum, reserved;
    uint64_t own, other, first_usable, last_usable;
    std::array<uint8_t, 16> guid;
    uint64_t entries_at;
    uint32_t entries, entry_size, entries_checksum;
    std::array<uint8_t, sector_size - smallest_header> rest;
};
static_assert(sizeof(Header) == sector_size);

// ISO 3309, as in Ethernet.
class Crc32 {
public:
    void add(std::span<const uint8_t> bytes) {
        for (const uint8_t byte : bytes) {
            value_ ^= byte;
            for (int n = 0; n < 8; ++n) value_ = value_ >> 1 ^ (0xedb8'8320u & (0u - (value_ & 1u)));
        }
    }
    [[nodiscard]] uint32_t value() const { return ~value_; }

private:
    uint32_t value_ = ~0u;
};

template <typename Value>
[[nodiscard]] Value get(std::span<const uint8_t> bytes, std::size_t at) {
    Value out;
    std::memcpy(&out, bytes.data() + at, sizeof out);
    return out;
}

[[nodiscard]] bool has_name(std::span<const uint8_t> entry, const char* name) {
    for (uint32_t n = 0; n < name_units; ++n) {
        const auto unit = get<std::uint16_t>(entry, name_at + n * 2);
        if (unit != static_cast<uint8_t>(name[n])) return false;
        if (unit == 0) return true;
    }
    return name[name_units] == 0;
}

class Table {
public:
    Table(DiskReader& disk, uint64_t sectors) : disk_(disk), sectors_(sectors) {}

    // The header there is right, and can be used.
    [[nodiscard]] Problem load(uint64_t at) {
        std::array<uint8_t, sector_size> bytes{};
        if (!disk_.read(at * sector_size, bytes)) return Problem::unreadable;
        std::memcpy(&header_, bytes.data(), bytes.size());
        static constexpr std::array<char, 8> signature{'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T'};
        if (header_.signature != signature) return Problem::no_table;
        if (header_.size < smallest_header || header_.size > sector_size || header_.own != at) return Problem::damaged;
        std::memset(bytes.data() + 16, 0, 4);
        Crc32 crc;
        crc.add(std::span{bytes}.first(header_.size));
        if (crc.value() != header_.checksum) return Problem::damaged;
        const uint64_t size = (uint64_t{header_.entries} * entry_size + sector_size - 1) / sector_size;
        const bool good = header_.entry_size == entry_size && header_.entries <= most_entries && header_.entries_at < sectors_ &&
                          size <= sectors_ - header_.entries_at;
        return good ? Problem::none : Problem::damaged;
    }

    // Of all entries, whose checksum is only known at the end.
    [[nodiscard]] GptResult find(const char* name) {
        std::array<uint8_t, sector_size> bytes{};
        GptResult found{Problem::no_such};
        Crc32 crc;
        for (uint32_t n = 0; n < header_.entries; ++n) {
            const uint32_t in_sector = n % (sector_size / entry_size);
            if (in_sector == 0 && !disk_.read((header_.entries_at + n / (sector_size / entry_size)) * sector_size, bytes))
                return {Problem::unreadable};
            const auto entry = std::span<const uint8_t>{bytes}.subspan(std::size_t{in_sector} * entry_size, entry_size);
            crc.add(entry);
            look_at(entry, name, found);
        }
        return crc.value() == header_.entries_checksum ? found : GptResult{Problem::damaged};
    }

private:
    void look_at(std::span<const uint8_t> entry, const char* name, GptResult& found) const {
        const bool unused = get<uint64_t>(entry, 0) == 0 && get<uint64_t>(entry, 8) == 0;
        if (unused || !has_name(entry, name)) return;
        const auto first = get<uint64_t>(entry, 32), last = get<uint64_t>(entry, 40);
        if (found.problem != Problem::no_such)
            found = {Problem::twice};
        else if (first > last || last >= sectors_)
            found = {Problem::damaged};
        else
            found = {Problem::none, first, last - first + 1};
    }

    DiskReader& disk_;
    uint64_t sectors_;
    Header header_{};
};

}  // namespace

const char* words_of(Problem problem) {
    switch (problem) {
        case Problem::none: return "";
        case Problem::unreadable: return "its partition table cannot be read";
        case Problem::no_table: return "it has no GPT";
        case Problem::damaged: return "both copies of its GPT are damaged";
        case Problem::no_such: return "its GPT has no partition of this name";
        case Problem::twice: return "its GPT has this name twice";
    }
    return "";
}

// The copy at its end counts where that at its begin does not.
GptResult find_gpt_partition(DiskReader& disk, uint64_t sectors, const char* name) {
    Problem first_problem = Problem::no_table;
    for (const uint64_t at : {uint64_t{1}, sectors - 1}) {
        if (sectors < 3) break;
        Table table{disk, sectors};
        GptResult result{table.load(at)};
        if (result.problem == Problem::none) result = table.find(name);
        const bool other_copy =
            result.problem == Problem::no_table || result.problem == Problem::damaged || result.problem == Problem::unreadable;
        if (!other_copy) return result;
        if (first_problem == Problem::no_table) first_problem = result.problem;
    }
    return {first_problem};
}

}  // namespace partita::parent
