#include "boot/firmware_tree.hpp"

#include <cstdint>

namespace partita {

using std::uint32_t;

namespace {

constexpr uint32_t magic = 0xd00dfeed, begin_node = 1, end_node = 2, property_token = 3, nop = 4;

class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    [[nodiscard]] bool word(std::size_t at, uint32_t& out) const {
        if (at > bytes_.size() || bytes_.size() - at < 4) return false;
        out = 0;
        for (std::size_t n = 0; n < 4; ++n) out = out << 8 | std::to_integer<uint32_t>(bytes_[at + n]);
        return true;
    }
    // Whether the NUL-terminated text at `at` is `expected`; `length` is its length where it has an end.
    [[nodiscard]] bool text(std::size_t at, std::string_view expected, bool& equal, std::size_t& length) const {
        equal = true;
        for (length = 0; at + length < bytes_.size(); ++length) {
            const char c = std::to_integer<char>(bytes_[at + length]);
            if (c == 0) {
                equal = equal && length == expected.size();
                return true;
            }
            equal = equal && length < expected.size() && expected[length] == c;
        }
        return false;
    }

private:
    std::span<const std::byte> bytes_;
};

struct Header {
    uint32_t total = 0, structure = 0, strings = 0;
};

[[nodiscard]] bool read_header(std::span<const std::byte>& tree, Header& header) {
    const Reader reader{tree};
    uint32_t found = 0;
    if (!reader.word(0, found) || found != magic) return false;
    if (!reader.word(4, header.total) || !reader.word(8, header.structure) || !reader.word(12, header.strings)) return false;
    if (header.total > tree.size() || header.strings > header.total) return false;
    tree = tree.first(header.total);
    return true;
}

[[nodiscard]] constexpr std::size_t align4(std::size_t n) { return (n + 3) & ~std::size_t{3}; }

}  // namespace

std::span<const std::byte> find_property(std::span<const std::byte> tree, std::string_view node, std::string_view property) {
    Header header;
    if (!read_header(tree, header)) return {};
    const Reader reader{tree};
    int depth = 0;
    bool in_node = false;
    for (std::size_t at = header.structure;;) {
        uint32_t token = 0;
        if (!reader.word(at, token)) return {};
        at += 4;
        if (token == begin_node) {
            bool equal = false;
            std::size_t length = 0;
            if (!reader.text(at, node, equal, length)) return {};
            at = align4(at + length + 1);
            in_node = ++depth == 2 && equal;
        } else if (token == end_node) {
            if (--depth <= 0) return {};
            in_node = false;
        } else if (token == property_token) {
            uint32_t size = 0, name = 0;
            if (!reader.word(at, size) || !reader.word(at + 4, name)) return {};
            at += 8;
            if (at > tree.size() || size > tree.size() - at) return {};
            bool equal = false;
            std::size_t length = 0;
            if (in_node && name < tree.size() - header.strings && reader.text(header.strings + name, property, equal, length) && equal)
                return tree.subspan(at, size);
            at = align4(at + size);
        } else if (token != nop) {
            return {};
        }
    }
}

}  // namespace partita
