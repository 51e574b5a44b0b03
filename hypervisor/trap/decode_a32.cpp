// The loads and stores of A32 (DDI 0406C A5.2.8, A5.2.9, A5.2.10, A5.3, A5.5, A5.6, A7.6).
#include "trap/decode.hpp"

namespace partita {

namespace {

using namespace decode;

enum class Layout : std::uint8_t { word_immediate, word_register, extra, exclusive, swap, block, vfp, other };

// Bits 27-0; the condition is looked at apart from them.
constexpr Row<Layout> rows[] = {
    {0x0e50'0000, 0x0400'0000, Layout::word_immediate, Form::single, 4, true},      // STR, STRT
    {0x0e50'0000, 0x0410'0000, Layout::word_immediate, Form::single, 4, false},     // LDR, LDRT
    {0x0e50'0000, 0x0440'0000, Layout::word_immediate, Form::single, 1, true},      // STRB, STRBT
    {0x0e50'0000, 0x0450'0000, Layout::word_immediate, Form::single, 1, false},     // LDRB, LDRBT
    {0x0e50'0010, 0x0600'0000, Layout::word_register, Form::single, 4, true},       // the same by register
    {0x0e50'0010, 0x0610'0000, Layout::word_register, Form::single, 4, false},      //
    {0x0e50'0010, 0x0640'0000, Layout::word_register, Form::single, 1, true},       //
    {0x0e50'0010, 0x0650'0000, Layout::word_register, Form::single, 1, false},      //
    {0x0e10'00f0, 0x0000'00b0, Layout::extra, Form::single, 2, true},               // STRH, STRHT
    {0x0e10'00f0, 0x0010'00b0, Layout::extra, Form::single, 2, false},              // LDRH, LDRHT
    {0x0e10'00f0, 0x0010'00d0, Layout::extra, Form::single, 1, false, true},        // LDRSB, LDRSBT
    {0x0e10'00f0, 0x0010'00f0, Layout::extra, Form::single, 2, false, true},        // LDRSH, LDRSHT
    {0x0e10'00f0, 0x0000'00d0, Layout::extra, Form::dual, 4, false},                // LDRD
    {0x0e10'00f0, 0x0000'00f0, Layout::extra, Form::dual, 4, true},                 // STRD
    {0x0ff0'0ff0, 0x0180'0f90, Layout::exclusive, Form::store_exclusive, 4, true},  // STREX
    {0x0ff0'0fff, 0x0190'0f9f, Layout::exclusive, Form::load_exclusive, 4, false},  // LDREX
    {0x0ff0'0ff0, 0x01a0'0f90, Layout::exclusive, Form::store_exclusive, 8, true},  // STREXD
    {0x0ff0'0fff, 0x01b0'0f9f, Layout::exclusive, Form::load_exclusive, 8, false},  // LDREXD
    {0x0ff0'0ff0, 0x01c0'0f90, Layout::exclusive, Form::store_exclusive, 1, true},  // STREXB
    {0x0ff0'0fff, 0x01d0'0f9f, Layout::exclusive, Form::load_exclusive, 1, false},  // LDREXB
    {0x0ff0'0ff0, 0x01e0'0f90, Layout::exclusive, Form::store_exclusive, 2, true},  // STREXH
    {0x0ff0'0fff, 0x01f0'0f9f, Layout::exclusive, Form::load_exclusive, 2, false},  // LDREXH
    {0x0ff0'0ff0, 0x0100'0090, Layout::swap, Form::swap, 4, false},                 // SWP
    {0x0ff0'0ff0, 0x0140'0090, Layout::swap, Form::swap, 1, false},                 // SWPB
    {0x0f00'00f0, 0x0100'0090, Layout::other, Form::unsupported},                   // the rest of A5.2.10
    {0x0e10'0000, 0x0800'0000, Layout::block, Form::multiple, 4, true},             // STM, PUSH
    {0x0e10'0000, 0x0810'0000, Layout::block, Form::multiple, 4, false},            // LDM, POP
    {0x0e00'0e00, 0x0c00'0a00, Layout::vfp},                                        // VLDR, VSTR, VLDM, VSTM
    {0x0fe0'0000, 0x0c40'0000, Layout::other, Form::none},                          // MCRR, MRRC
    {0x0e00'0000, 0x0c00'0000, Layout::other, Form::unsupported},                   // LDC, STC
};

MemoryAccess word(MemoryAccess access, uint32_t instruction, bool by_register) {
    access.rn = field(instruction, 16), access.rt = field(instruction, 12);
    index_by(access, instruction);
    access.unprivileged = !access.before && bit(instruction, 21);
    if (by_register) {
        access.rm = field(instruction, 0);
        shift_by(access, field(instruction, 5, 2), field(instruction, 7, 5));
    } else {
        access.immediate = static_cast<std::uint16_t>(instruction & 0xfffu);
    }
    const bool base = access.writeback && (access.rn == 15 || access.rn == access.rt);
    const bool pc = access.rt == 15 && (access.size == 1 || (access.unprivileged && !access.write));
    return unless(base || pc || (by_register && access.rm == 15), access);
}

MemoryAccess extra(MemoryAccess access, uint32_t instruction) {
    const bool dual = access.form == Form::dual;
    access.rn = field(instruction, 16), access.rt = field(instruction, 12),
    access.rt2 = static_cast<std::uint8_t>(dual ? access.rt + 1 : 0);
    index_by(access, instruction);
    access.unprivileged = !access.before && bit(instruction, 21);
    const bool by_register = !bit(instruction, 22);
    if (by_register)
        access.rm = field(instruction, 0);
    else
        access.immediate = static_cast<std::uint16_t>(field(instruction, 8) << 4 | field(instruction, 0));
    const bool base = access.writeback && (access.rn == 15 || access.rn == access.rt || (dual && access.rn == access.rt2));
    const bool offset = by_register && (access.rm == 15 || field(instruction, 8) != 0 ||
                                        (dual && !access.write && (access.rm == access.rt || access.rm == access.rt2)));
    const bool registers = dual ? (access.rt & 1u) != 0 || access.rt == 14 || access.unprivileged : access.rt == 15;
    return unless(base || offset || registers, access);
}

MemoryAccess exclusive(MemoryAccess access, uint32_t instruction) {
    access.rn = field(instruction, 16);
    access.rt = field(instruction, access.write ? 0 : 12);
    access.rd = access.write ? field(instruction, 12) : std::uint8_t{0};
    const bool dual = access.size == 8;
    access.rt2 = static_cast<std::uint8_t>(dual ? access.rt + 1 : 0);
    const bool status =
        access.write && (access.rd == 15 || access.rd == access.rn || access.rd == access.rt || (dual && access.rd == access.rt2));
    return unless(access.rt == 15 || access.rn == 15 || (dual && ((access.rt & 1u) != 0 || access.rt == 14)) || status, access);
}

MemoryAccess swap(MemoryAccess access, uint32_t instruction) {
    access.rn = field(instruction, 16), access.rt = field(instruction, 12), access.rt2 = field(instruction, 0);
    const bool pc = access.rn == 15 || access.rt == 15 || access.rt2 == 15;
    return unless(pc || access.rn == access.rt || access.rn == access.rt2, access);
}

MemoryAccess block(MemoryAccess access, uint32_t instruction) {
    access.rn = field(instruction, 16);
    access.list = static_cast<std::uint16_t>(instruction);
    access.before = bit(instruction, 24), access.up = bit(instruction, 23), access.writeback = bit(instruction, 21);
    access.user = bit(instruction, 22);
    const bool returns = access.user && !access.write && bit(instruction, 15);
    const bool base = access.writeback && !access.write && bit(access.list, access.rn);
    return unless(access.rn == 15 || access.list == 0 || base || (access.user && !returns && access.writeback), access);
}

}  // namespace

MemoryAccess decode_a32(uint32_t instruction) {
    constexpr uint32_t unconditional = 0xf;
    if (instruction >> 28 == unconditional) {
        const bool structures = (instruction & 0x0f10'0000u) == 0x0400'0000u;     // VLDn, VSTn (A7.7)
        const bool returns = (instruction & 0x0e00'0000u) == 0x0800'0000u;        // RFE, SRS
        const bool coprocessor = (instruction & 0x0e00'0000u) == 0x0c00'0000u &&  // LDC2, STC2
                                 (instruction & 0x0fe0'0000u) != 0x0c40'0000u;
        return {.form = structures || returns || coprocessor ? Form::unsupported : Form::none};
    }
    const Row<Layout>* const row = find<Layout>(rows, instruction);
    if (row == nullptr) return {};
    const MemoryAccess access = begin(*row);
    switch (row->layout) {
        case Layout::word_immediate: return word(access, instruction, false);
        case Layout::word_register: return word(access, instruction, true);
        case Layout::extra: return extra(access, instruction);
        case Layout::exclusive: return exclusive(access, instruction);
        case Layout::swap: return swap(access, instruction);
        case Layout::block: return block(access, instruction);
        case Layout::vfp: return vfp(instruction, true);
        case Layout::other: return {.form = row->form};
    }
    return {};
}

}  // namespace partita
