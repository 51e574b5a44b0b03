// What a load or store does, as one value: decoded from A32 or T32 (DDI 0406C A5, A6, A8.8), carried out by execute.hpp. The CPU
// describes only the simplest accesses in its syndrome (B3.13.6); for all others this is how they are known.
#pragma once

#include <cstdint>

namespace partita {

struct MemoryAccess {
    enum class Form : std::uint8_t {
        none,             // no instruction that accesses memory
        unsupported,      // one that does, but not here: LDC, RFE, NEON structures, or an UNPREDICTABLE encoding
        single,           // rt
        dual,             // rt, rt2
        multiple,         // the registers of `list`, the lowest at the lowest address
        load_exclusive,   // rt, and rt2 where size is 8
        store_exclusive,  // the same; rd becomes 0 or 1
        swap,             // memory to rt, rt2 to memory
        vfp,              // `count` registers from `rt` on: S where size is 4, D where it is 8
        table_branch,     // TBB, TBH
    };
    enum class Shift : std::uint8_t { lsl, lsr, asr, ror, rrx };
    static constexpr std::uint8_t no_register = 16;

    Form form = Form::none;
    std::uint8_t size = 4;  // bytes of each element
    std::uint8_t rt = 0, rt2 = 0, rd = 0, rn = 0;
    std::uint8_t rm = no_register;  // offset register; else `immediate` is the offset
    Shift shift = Shift::lsl;
    std::uint8_t amount = 0;  // of the shift, 0-32
    std::uint8_t count = 0;
    std::uint16_t list = 0;
    std::uint16_t immediate = 0;
    bool write : 1 = false;         // to memory
    bool sign_extend : 1 = false;   // what is loaded
    bool unprivileged : 1 = false;  // LDRT and the like
    bool before : 1 = true;         // the offset is applied before the access (P)
    bool up : 1 = true;             // added (U)
    bool writeback : 1 = false;
    bool user : 1 = false;  // LDM and STM (user registers); with the PC in a loaded list: exception return

    [[nodiscard]] constexpr bool operator==(const MemoryAccess&) const = default;
};

// Of an A32 instruction, its condition field included.
[[nodiscard]] MemoryAccess decode_a32(std::uint32_t instruction);
// Of a T32 instruction: 16 bits, or 32 with the first halfword in bits 31-16.
[[nodiscard]] MemoryAccess decode_t16(std::uint32_t instruction);
[[nodiscard]] MemoryAccess decode_t32(std::uint32_t instruction);

// How many registers a list names.
[[nodiscard]] constexpr std::uint32_t registers_in(std::uint32_t list) {
    std::uint32_t count = 0;
    for (; list != 0; list &= list - 1) ++count;
    return count;
}

// Whether a halfword is the first of two (A6.1).
[[nodiscard]] constexpr bool is_wide(std::uint32_t halfword) { return (halfword & 0xf800u) > 0xe000u; }

}  // namespace partita
