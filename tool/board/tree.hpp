// A flattened device tree, read.
#pragma once

extern "C" {
#include <libfdt.h>
}

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "board/board.hpp"

namespace partita::tool {

class Tree {
public:
    explicit Tree(const std::vector<std::uint8_t>& bytes) : fdt_(bytes.data()) {}

    [[nodiscard]] const void* fdt() const { return fdt_; }
    [[nodiscard]] std::vector<std::uint32_t> cells(int node, const char* name) const {
        int size = 0;
        const auto* const value = static_cast<const std::uint8_t*>(fdt_getprop(fdt_, node, name, &size));
        std::vector<std::uint32_t> out;
        for (int at = 0; value != nullptr && at + 4 <= size; at += 4)
            out.push_back(static_cast<std::uint32_t>(value[at]) << 24 | static_cast<std::uint32_t>(value[at + 1]) << 16 |
                          static_cast<std::uint32_t>(value[at + 2]) << 8 | value[at + 3]);
        return out;
    }
    [[nodiscard]] bool has(int node, const char* name) const { return fdt_getprop(fdt_, node, name, nullptr) != nullptr; }
    [[nodiscard]] bool is(int node, const char* compatible) const { return fdt_node_check_compatible(fdt_, node, compatible) == 0; }
    [[nodiscard]] std::string path(int node) const {
        char text[256];
        return fdt_get_path(fdt_, node, text, sizeof text) == 0 ? text : "?";
    }
    // `reg` under the parent's cell counts.
    [[nodiscard]] std::vector<AddressRange> registers(int node) const {
        const int parent = fdt_parent_offset(fdt_, node);
        const auto address_cells = static_cast<std::size_t>(fdt_address_cells(fdt_, parent)),
                   size_cells = static_cast<std::size_t>(fdt_size_cells(fdt_, parent));
        const auto words = cells(node, "reg");
        std::vector<AddressRange> out;
        if (size_cells == 0) return out;
        for (std::size_t at = 0; at + address_cells + size_cells <= words.size(); at += address_cells + size_cells)
            out.push_back({number(words, at, address_cells), number(words, at + address_cells, size_cells)});
        return out;
    }
    // GIC interrupts of three cells (type, number, flags).
    [[nodiscard]] std::vector<BoardInterrupt> interrupts(int node) const {
        const auto words = cells(node, "interrupts");
        std::vector<BoardInterrupt> out;
        for (std::size_t at = 0; at + 3 <= words.size(); at += 3)
            out.push_back({words[at + 1] + (words[at] == 0 ? 32 : 16), (words[at + 2] & 3) != 0});
        return out;
    }

private:
    [[nodiscard]] static std::uint64_t number(const std::vector<std::uint32_t>& words, std::size_t at, std::size_t count) {
        std::uint64_t value = 0;
        for (std::size_t n = 0; n < count; ++n) value = value << 32 | words[at + n];
        return value;
    }
    const void* fdt_;
};

}  // namespace partita::tool
