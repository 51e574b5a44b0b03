// What the decoders of both instruction sets share: a row of a table of encodings, and the layouts that are the same in both.
#pragma once

#include <cstdint>
#include <span>

#include "arch/bits.hpp"
#include "trap/memory_access.hpp"

namespace partita::decode {

using Form = MemoryAccess::Form;
using std::uint32_t;

// An encoding: the bits that are fixed, where its operands lie, and what they do.
template <typename Layout>
struct Row {
    uint32_t mask, match;
    Layout layout;
    Form form = Form::single;
    std::uint8_t size = 4;
    bool write = false;
    bool sign_extend = false;
};

// The first row that matches; nullptr: none.
template <typename Layout>
[[nodiscard]] constexpr const Row<Layout>* find(std::span<const Row<Layout>> rows, uint32_t instruction) {
    for (const auto& row : rows)
        if ((instruction & row.mask) == row.match) return &row;
    return nullptr;
}

template <typename Layout>
[[nodiscard]] constexpr MemoryAccess begin(const Row<Layout>& row) {
    MemoryAccess access;
    access.form = row.form;
    access.size = row.size;
    access.write = row.write;
    access.sign_extend = row.sign_extend;
    return access;
}

[[nodiscard]] constexpr std::uint8_t field(uint32_t instruction, unsigned low, unsigned width = 4) {
    return static_cast<std::uint8_t>(instruction >> low & ((1u << width) - 1));
}
[[nodiscard]] constexpr bool bit(uint32_t instruction, unsigned n) { return (instruction >> n & 1u) != 0; }

// P, U and W as bits 24, 23 and 21.
constexpr void index_by(MemoryAccess& access, uint32_t instruction) {
    access.before = bit(instruction, 24);
    access.up = bit(instruction, 23);
    access.writeback = bit(instruction, 21) || !access.before;
}

// DecodeImmShift() (A8.4.3).
constexpr void shift_by(MemoryAccess& access, uint32_t type, uint32_t amount) {
    using Shift = MemoryAccess::Shift;
    access.shift = static_cast<Shift>(type);
    access.amount = static_cast<std::uint8_t>(amount);
    if (amount != 0 || type == 0) return;
    if (access.shift == Shift::ror)
        access.shift = Shift::rrx, access.amount = 1;
    else
        access.amount = 32;
}

// An encoding whose effect nobody may rely on is not carried out.
[[nodiscard]] constexpr MemoryAccess unless(bool unpredictable, MemoryAccess access) {
    if (unpredictable) access = {.form = Form::unsupported};
    return access;
}

// VLDR, VSTR, VLDM, VSTM: bits 27-0 are the same in both instruction sets (A7.6).
[[nodiscard]] constexpr MemoryAccess vfp(uint32_t instruction, bool a32) {
    const bool before = bit(instruction, 24), up = bit(instruction, 23), doubles = bit(instruction, 8), w = bit(instruction, 21);
    const std::uint8_t words = field(instruction, 0, 8);
    const uint32_t d = bit(instruction, 22), v = field(instruction, 12);
    if (!before && !up) return {.form = w ? Form::unsupported : Form::none};  // a transfer of 64 bits to core registers (A7.9)
    if (before && up && w) return {.form = Form::unsupported};
    MemoryAccess access{.form = Form::vfp};
    access.write = !bit(instruction, 20);
    access.size = doubles ? 8 : 4;
    access.rn = field(instruction, 16);
    access.rt = static_cast<std::uint8_t>(doubles ? d << 4 | v : v << 1 | d);
    access.immediate = static_cast<std::uint16_t>(words * 4);
    access.before = before, access.up = up, access.writeback = w;
    const bool one = before && !w;
    access.count = static_cast<std::uint8_t>(one ? 1 : doubles ? words / 2 : words);
    // Of FLDMX and FSTMX, whose number of words is odd.
    const bool high = doubles && !one && (words & 1u) != 0 && access.rt + access.count > 16;
    const bool from_pc = access.rn == 15 && (one ? access.write && !a32 : w || !a32);
    return unless(high || from_pc || access.count == 0 || access.rt + access.count > 32 || (doubles && access.count > 16), access);
}

}  // namespace partita::decode
