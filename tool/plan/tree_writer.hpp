// A device tree, written node by node.
#pragma once

#include <fmt/format.h>
extern "C" {
#include <libfdt.h>
}

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "board/board.hpp"

namespace partita::tool {

// Cells of an `interrupts` property (the GIC's binding).
namespace interrupts {
inline constexpr std::uint32_t spi = 0, ppi = 1, level_high = 4, edge_rising = 1;
}

// libfdt's sequential writer. Its calls fail only when the buffer is too small, which is a bug here.
class TreeWriter {
public:
    TreeWriter() : buffer_(std::size_t{64} * 1024) {
        check(fdt_create(buffer_.data(), static_cast<int>(buffer_.size())));
        check(fdt_finish_reservemap(buffer_.data()));
    }
    template <typename Inside>
    void node(const std::string& name, Inside&& inside) {
        check(fdt_begin_node(buffer_.data(), name.c_str()));
        inside();
        check(fdt_end_node(buffer_.data()));
    }
    void cells(const char* name, const std::vector<std::uint32_t>& values) {
        Bytes bytes;
        for (const std::uint32_t value : values)
            for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
        raw(name, bytes);
    }
    void text(const char* name, const std::string& value) {
        check(fdt_property(buffer_.data(), name, value.c_str(), static_cast<int>(value.size() + 1)));
    }
    void texts(const char* name, const std::vector<std::string>& values) {
        Bytes bytes;
        for (const std::string& value : values) {
            bytes.insert(bytes.end(), value.begin(), value.end());
            bytes.push_back(0);
        }
        raw(name, bytes);
    }
    void flag(const char* name) { check(fdt_property(buffer_.data(), name, nullptr, 0)); }
    void raw(const char* name, const Bytes& bytes) {
        check(fdt_property(buffer_.data(), name, bytes.data(), static_cast<int>(bytes.size())));
    }
    void reg(std::uint64_t address, std::uint64_t size) { regs({{address, size}}); }
    void regs(const std::vector<AddressRange>& ranges) {
        std::vector<std::uint32_t> words;
        for (const AddressRange& range : ranges)
            for (const std::uint64_t number : {range.begin, range.size})
                words.insert(words.end(), {static_cast<std::uint32_t>(number >> 32), static_cast<std::uint32_t>(number)});
        cells("reg", words);
    }
    [[nodiscard]] Bytes finish() {
        check(fdt_finish(buffer_.data()));
        buffer_.resize(fdt_totalsize(buffer_.data()));
        return buffer_;
    }

private:
    static void check(int result) {
        if (result != 0) throw std::logic_error(fmt::format("guest device tree: {}", fdt_strerror(result)));
    }
    Bytes buffer_;
};

}  // namespace partita::tool
