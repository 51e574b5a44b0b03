// Addresses that cannot be mistaken for one another, and half-open ranges that cannot wrap.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

namespace partita {

inline constexpr std::uint64_t kPageSize = 0x1000;
inline constexpr std::uint64_t kBlockSize = 0x20'0000;  // what one level-2 descriptor maps
inline constexpr unsigned kAddressBits = 40;            // LPAE: physical and intermediate physical (ARM DDI 0406C B3.6)

template <typename Tag>
struct Address {
    std::uint64_t value = 0;

    constexpr Address() = default;
    constexpr explicit Address(std::uint64_t bytes) : value(bytes) {}
    constexpr auto operator<=>(const Address&) const = default;
    [[nodiscard]] constexpr Address operator+(std::uint64_t bytes) const { return Address{value + bytes}; }
    [[nodiscard]] constexpr std::uint64_t operator-(Address other) const { return value - other.value; }
    [[nodiscard]] constexpr bool aligned(std::uint64_t size) const { return (value & (size - 1)) == 0; }
};

using PhysAddr = Address<struct PhysTag>;  // what the bus sees
using Ipa = Address<struct IpaTag>;        // what a partition takes for physical

// The bytes [begin, begin + size).
template <typename A>
struct Range {
    A begin;
    std::uint64_t size = 0;

    // The range, or nothing when it would leave the 40-bit address space.
    [[nodiscard]] static constexpr std::optional<Range> make(A begin, std::uint64_t size) {
        constexpr std::uint64_t limit = std::uint64_t{1} << kAddressBits;
        if (begin.value > limit || size > limit - begin.value) return std::nullopt;
        return Range{begin, size};
    }
    [[nodiscard]] constexpr A end() const { return begin + size; }
    [[nodiscard]] constexpr bool contains(A address) const { return address >= begin && address - begin < size; }
    [[nodiscard]] constexpr bool contains(const Range& other) const {
        return other.begin >= begin && other.begin - begin <= size && other.size <= size - (other.begin - begin);
    }
    [[nodiscard]] constexpr bool overlaps(const Range& other) const {
        return size != 0 && other.size != 0 && begin < other.end() && other.begin < end();
    }
};

using PhysRange = Range<PhysAddr>;
using IpaRange = Range<Ipa>;

}  // namespace partita
