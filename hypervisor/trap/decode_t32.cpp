// The loads and stores of T32, of 16 and of 32 bits (DDI 0406C A6.2.4, A6.2.5, A6.2.6, A6.3.5, A6.3.6, A6.3.7 - A6.3.10, A7.6).
#include "trap/decode.hpp"

namespace partita {

namespace {

using namespace decode;

enum class Narrow : std::uint8_t { literal, by_register, immediate, stack, push, pop, block };

constexpr Row<Narrow> narrow_rows[] = {
    {0xf800, 0x4800, Narrow::literal},                                    // LDR (literal)
    {0xfe00, 0x5000, Narrow::by_register, Form::single, 4, true},         // STR
    {0xfe00, 0x5200, Narrow::by_register, Form::single, 2, true},         // STRH
    {0xfe00, 0x5400, Narrow::by_register, Form::single, 1, true},         // STRB
    {0xfe00, 0x5600, Narrow::by_register, Form::single, 1, false, true},  // LDRSB
    {0xfe00, 0x5800, Narrow::by_register, Form::single, 4, false},        // LDR
    {0xfe00, 0x5a00, Narrow::by_register, Form::single, 2, false},        // LDRH
    {0xfe00, 0x5c00, Narrow::by_register, Form::single, 1, false},        // LDRB
    {0xfe00, 0x5e00, Narrow::by_register, Form::single, 2, false, true},  // LDRSH
    {0xf800, 0x6000, Narrow::immediate, Form::single, 4, true},           // STR
    {0xf800, 0x6800, Narrow::immediate, Form::single, 4, false},          // LDR
    {0xf800, 0x7000, Narrow::immediate, Form::single, 1, true},           // STRB
    {0xf800, 0x7800, Narrow::immediate, Form::single, 1, false},          // LDRB
    {0xf800, 0x8000, Narrow::immediate, Form::single, 2, true},           // STRH
    {0xf800, 0x8800, Narrow::immediate, Form::single, 2, false},          // LDRH
    {0xf800, 0x9000, Narrow::stack, Form::single, 4, true},               // STR (SP)
    {0xf800, 0x9800, Narrow::stack, Form::single, 4, false},              // LDR (SP)
    {0xfe00, 0xb400, Narrow::push, Form::multiple, 4, true},              // PUSH
    {0xfe00, 0xbc00, Narrow::pop, Form::multiple, 4, false},              // POP
    {0xf800, 0xc000, Narrow::block, Form::multiple, 4, true},             // STM
    {0xf800, 0xc800, Narrow::block, Form::multiple, 4, false},            // LDM
};

enum class Wide : std::uint8_t { block, dual, exclusive, exclusive_part, table, single, vfp, other };

constexpr Row<Wide> wide_rows[] = {
    {0xffd0'0000, 0xe880'0000, Wide::block, Form::multiple, 4, true},                  // STM
    {0xffd0'0000, 0xe890'0000, Wide::block, Form::multiple, 4, false},                 // LDM, POP
    {0xffd0'0000, 0xe900'0000, Wide::block, Form::multiple, 4, true},                  // STMDB, PUSH
    {0xffd0'0000, 0xe910'0000, Wide::block, Form::multiple, 4, false},                 // LDMDB
    {0xfe40'0000, 0xe800'0000, Wide::other, Form::unsupported},                        // SRS, RFE
    {0xfff0'0000, 0xe840'0000, Wide::exclusive, Form::store_exclusive, 4, true},       // STREX
    {0xfff0'0f00, 0xe850'0f00, Wide::exclusive, Form::load_exclusive, 4, false},       // LDREX
    {0xfff0'0ff0, 0xe8c0'0f40, Wide::exclusive_part, Form::store_exclusive, 1, true},  // STREXB
    {0xfff0'0ff0, 0xe8c0'0f50, Wide::exclusive_part, Form::store_exclusive, 2, true},  // STREXH
    {0xfff0'00f0, 0xe8c0'0070, Wide::exclusive_part, Form::store_exclusive, 8, true},  // STREXD
    {0xfff0'0fff, 0xe8d0'0f4f, Wide::exclusive_part, Form::load_exclusive, 1, false},  // LDREXB
    {0xfff0'0fff, 0xe8d0'0f5f, Wide::exclusive_part, Form::load_exclusive, 2, false},  // LDREXH
    {0xfff0'00ff, 0xe8d0'007f, Wide::exclusive_part, Form::load_exclusive, 8, false},  // LDREXD
    {0xfff0'fff0, 0xe8d0'f000, Wide::table, Form::table_branch, 1, false},             // TBB
    {0xfff0'fff0, 0xe8d0'f010, Wide::table, Form::table_branch, 2, false},             // TBH
    {0xff60'0000, 0xe840'0000, Wide::other, Form::unsupported},                        // the rest of A6.3.6 without P and W
    {0xfe50'0000, 0xe840'0000, Wide::dual, Form::dual, 4, true},                       // STRD
    {0xfe50'0000, 0xe850'0000, Wide::dual, Form::dual, 4, false},                      // LDRD
    {0xff70'0000, 0xf800'0000, Wide::single, Form::single, 1, true},                   // STRB, STRBT
    {0xff70'0000, 0xf820'0000, Wide::single, Form::single, 2, true},                   // STRH, STRHT
    {0xff70'0000, 0xf840'0000, Wide::single, Form::single, 4, true},                   // STR, STRT
    {0xff70'0000, 0xf810'0000, Wide::single, Form::single, 1, false},                  // LDRB, LDRBT
    {0xff70'0000, 0xf830'0000, Wide::single, Form::single, 2, false},                  // LDRH, LDRHT
    {0xff70'0000, 0xf850'0000, Wide::single, Form::single, 4, false},                  // LDR, LDRT
    {0xff70'0000, 0xf910'0000, Wide::single, Form::single, 1, false, true},            // LDRSB, LDRSBT
    {0xff70'0000, 0xf930'0000, Wide::single, Form::single, 2, false, true},            // LDRSH, LDRSHT
    {0xff10'0000, 0xf900'0000, Wide::other, Form::unsupported},                        // VLDn, VSTn (A7.7)
    {0xfe00'0e00, 0xec00'0a00, Wide::vfp},                                             // VLDR, VSTR, VLDM, VSTM
    {0xefe0'0000, 0xec40'0000, Wide::other, Form::none},                               // MCRR, MRRC
    {0xee00'0000, 0xec00'0000, Wide::other, Form::unsupported},                        // LDC, STC
};

// SP and PC, which most fields of T32 may not name.
[[nodiscard]] constexpr bool special(std::uint8_t n) { return n == 13 || n == 15; }

MemoryAccess block(MemoryAccess access, uint32_t instruction) {
    constexpr uint32_t sp = 1u << 13, lr = 1u << 14, pc = 1u << 15;
    access.rn = field(instruction, 16);
    access.list = static_cast<std::uint16_t>(instruction);
    access.before = bit(instruction, 24), access.up = bit(instruction, 23), access.writeback = bit(instruction, 21);
    const bool list = (access.list & sp) != 0 || registers_in(access.list) < 2 ||
                      (access.write ? (access.list & pc) != 0 : (access.list & (lr | pc)) == (lr | pc));
    return unless(access.rn == 15 || list || (access.writeback && bit(access.list, access.rn)), access);
}

MemoryAccess dual(MemoryAccess access, uint32_t instruction) {
    access.rn = field(instruction, 16), access.rt = field(instruction, 12), access.rt2 = field(instruction, 8);
    access.before = bit(instruction, 24), access.up = bit(instruction, 23), access.writeback = bit(instruction, 21);
    access.immediate = static_cast<std::uint16_t>(field(instruction, 0, 8) * 4);
    const bool base = access.writeback && (access.rn == access.rt || access.rn == access.rt2 || access.rn == 15);
    const bool same = !access.write && access.rt == access.rt2;
    return unless(base || same || special(access.rt) || special(access.rt2) || (access.write && access.rn == 15), access);
}

// LDREX and STREX of a word, with an offset.
MemoryAccess exclusive(MemoryAccess access, uint32_t instruction) {
    access.rn = field(instruction, 16), access.rt = field(instruction, 12);
    access.rd = access.write ? field(instruction, 8) : std::uint8_t{0};
    access.immediate = static_cast<std::uint16_t>(field(instruction, 0, 8) * 4);
    const bool status = access.write && (special(access.rd) || access.rd == access.rn || access.rd == access.rt);
    return unless(special(access.rt) || access.rn == 15 || status, access);
}

// Of bytes, halfwords and doublewords.
MemoryAccess exclusive_part(MemoryAccess access, uint32_t instruction) {
    const bool two = access.size == 8;
    access.rn = field(instruction, 16), access.rt = field(instruction, 12);
    access.rt2 = two ? field(instruction, 8) : std::uint8_t{0};
    access.rd = access.write ? field(instruction, 0) : std::uint8_t{0};
    const bool status =
        access.write && (special(access.rd) || access.rd == access.rn || access.rd == access.rt || (two && access.rd == access.rt2));
    const bool second = two && (special(access.rt2) || (!access.write && access.rt == access.rt2));
    return unless(special(access.rt) || access.rn == 15 || second || status, access);
}

MemoryAccess table(MemoryAccess access, uint32_t instruction) {
    access.rn = field(instruction, 16), access.rm = field(instruction, 0);
    access.amount = access.size == 2 ? 1 : 0;
    return unless(access.rn == 13 || special(access.rm), access);
}

MemoryAccess by_immediate_8(MemoryAccess access, uint32_t instruction) {
    access.before = bit(instruction, 10), access.up = bit(instruction, 9), access.writeback = bit(instruction, 8);
    access.immediate = field(instruction, 0, 8);
    access.unprivileged = access.before && access.up && !access.writeback;
    const bool undefined = !access.before && !access.writeback;
    const bool pc = access.rt == 15 && (access.size != 4 || access.write || access.unprivileged);
    const bool sp = access.rt == 13 && (access.size != 4 || access.unprivileged);
    return unless(undefined || pc || sp || (access.writeback && access.rn == access.rt), access);
}

MemoryAccess single(MemoryAccess access, uint32_t instruction) {
    const bool by_twelve = bit(instruction, 23);
    access.rn = field(instruction, 16), access.rt = field(instruction, 12);
    const bool literal = access.rn == 15;
    const bool hint = !access.write && access.size != 4 && access.rt == 15;  // PLD, PLI and what is reserved for such (A6.3.8)
    if (hint && (by_twelve || literal || !bit(instruction, 11) || (instruction >> 8 & 7u) == 4u)) return {};
    if (literal && access.write) return {.form = Form::unsupported};
    if (by_twelve || literal) {
        access.immediate = static_cast<std::uint16_t>(instruction & 0xfffu);
        access.up = by_twelve;
    } else if (bit(instruction, 11)) {
        return by_immediate_8(access, instruction);
    } else {
        if ((instruction & 0xfc0u) != 0) return {.form = Form::unsupported};
        access.rm = field(instruction, 0);
        access.amount = field(instruction, 4, 2);
        if (special(access.rm)) return {.form = Form::unsupported};
    }
    return unless((access.rt == 15 && access.write) || (access.rt == 13 && access.size != 4), access);
}

MemoryAccess low_block(MemoryAccess access, uint32_t instruction) {
    access.rn = field(instruction, 8, 3);
    access.list = field(instruction, 0, 8);
    access.before = false;
    access.writeback = access.write || !bit(access.list, access.rn);
    return unless(access.list == 0, access);
}

MemoryAccess stack_block(MemoryAccess access, uint32_t instruction, unsigned extra) {
    access.rn = 13;
    access.list = static_cast<std::uint16_t>(field(instruction, 0, 8) | (bit(instruction, 8) ? 1u << extra : 0));
    access.before = access.write, access.up = !access.write, access.writeback = true;
    return unless(access.list == 0, access);
}

}  // namespace

MemoryAccess decode_t16(uint32_t instruction) {
    const Row<Narrow>* const row = find<Narrow>(narrow_rows, instruction);
    if (row == nullptr) return {};
    MemoryAccess access = begin(*row);
    switch (row->layout) {
        case Narrow::push: return stack_block(access, instruction, 14);
        case Narrow::pop: return stack_block(access, instruction, 15);
        case Narrow::block: return low_block(access, instruction);
        case Narrow::literal:
        case Narrow::stack:
            access.rn = row->layout == Narrow::stack ? 13 : 15;
            access.rt = field(instruction, 8, 3);
            access.immediate = static_cast<std::uint16_t>(field(instruction, 0, 8) * 4);
            return access;
        case Narrow::by_register: access.rm = field(instruction, 6, 3); break;
        case Narrow::immediate: access.immediate = static_cast<std::uint16_t>(field(instruction, 6, 5) * access.size); break;
    }
    access.rn = field(instruction, 3, 3), access.rt = field(instruction, 0, 3);
    return access;
}

MemoryAccess decode_t32(uint32_t instruction) {
    const Row<Wide>* const row = find<Wide>(wide_rows, instruction);
    if (row == nullptr) return {};
    const MemoryAccess access = begin(*row);
    switch (row->layout) {
        case Wide::block: return block(access, instruction);
        case Wide::dual: return dual(access, instruction);
        case Wide::exclusive: return exclusive(access, instruction);
        case Wide::exclusive_part: return exclusive_part(access, instruction);
        case Wide::table: return table(access, instruction);
        case Wide::single: return single(access, instruction);
        case Wide::vfp: return vfp(instruction, false);
        case Wide::other: return {.form = row->form};
    }
    return {};
}

}  // namespace partita
