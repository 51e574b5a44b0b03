// Bit fields of registers and descriptors, as types.
#pragma once

#include <concepts>
#include <cstdint>

namespace partita {

// The field of bits [High:Low] of a word of type Word. Values that do not fit are cut off, never spilled.
template <typename Word, unsigned High, unsigned Low = High>
    requires std::unsigned_integral<Word> && (High >= Low) && (High < sizeof(Word) * 8)
struct Field {
    static constexpr unsigned width = High - Low + 1;
    static constexpr Word ones = width == sizeof(Word) * 8 ? static_cast<Word>(~Word{0}) : static_cast<Word>((Word{1} << width) - 1);
    static constexpr Word mask = static_cast<Word>(ones << Low);

    [[nodiscard]] static constexpr Word get(Word word) { return (word >> Low) & ones; }
    [[nodiscard]] static constexpr Word make(Word value) { return static_cast<Word>((value & ones) << Low); }
    [[nodiscard]] static constexpr Word set(Word word, Word value) { return static_cast<Word>((word & ~mask) | make(value)); }
    [[nodiscard]] static constexpr bool test(Word word)
        requires(width == 1)
    {
        return (word & mask) != 0;
    }
};

// True when no two of the fields overlap: `static_assert(disjoint<A, B, C>)` beside the register that they belong to.
template <typename... Fields>
inline constexpr bool disjoint = [] {
    std::uint64_t seen = 0;
    bool apart = true;
    ((apart = apart && (seen & Fields::mask) == 0, seen |= Fields::mask), ...);
    return apart;
}();

}  // namespace partita
