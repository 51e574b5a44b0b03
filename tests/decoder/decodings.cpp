// Prints encodings of loads and stores, and of what lies between them, with what the decoder makes of each: one a line, as
// "bytes<tab>text". reference.py has the same bytes read by an independent disassembler.
//   decodings a32|t32 [SEED]
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include "trap/memory_access.hpp"

namespace {

using partita::MemoryAccess;
using Form = MemoryAccess::Form;
using std::uint32_t;

const char* const registers[] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"};

[[nodiscard]] std::string offset_of(const MemoryAccess& access) {
    if (access.rm == MemoryAccess::no_register) return std::string{"#"} + (access.up ? "" : "-") + std::to_string(access.immediate);
    static const char* const shifts[] = {"lsl", "lsr", "asr", "ror", "rrx"};
    std::string out = std::string{access.up ? "" : "-"} + registers[access.rm];
    if (access.shift == MemoryAccess::Shift::rrx) return out + ", rrx";
    if (access.amount != 0) out += std::string{", "} + shifts[static_cast<unsigned>(access.shift)] + " #" + std::to_string(access.amount);
    return out;
}

[[nodiscard]] std::string place(const MemoryAccess& access) {
    const std::string base = registers[access.rn];
    if (!access.before) return "[" + base + "], " + offset_of(access);
    const bool plain = access.rm == MemoryAccess::no_register && access.immediate == 0 && access.up && !access.writeback;
    return "[" + base + (plain ? "" : ", " + offset_of(access)) + "]" + (access.writeback ? "!" : "");
}

[[nodiscard]] const char* suffix(const MemoryAccess& access) {
    if (access.size == 1) return access.sign_extend ? "sb" : "b";
    if (access.size == 2) return access.sign_extend ? "sh" : "h";
    return access.size == 8 ? "d" : "";
}

[[nodiscard]] std::string pair(const MemoryAccess& access) {
    return std::string{registers[access.rt]} +
           (access.size == 8 || access.form == Form::dual ? std::string{", "} + registers[access.rt2] : "");
}

[[nodiscard]] std::string block(const MemoryAccess& access) {
    std::string list;
    for (unsigned n = 0; n < 16; ++n)
        if ((access.list >> n & 1u) != 0) list += (list.empty() ? "" : ", ") + std::string{registers[n]};
    return std::string{access.write ? "stm" : "ldm"} + (access.up ? "i" : "d") + (access.before ? "b" : "a") + " " + registers[access.rn] +
           (access.writeback ? "!" : "") + ", {" + list + "}" + (access.user ? " ^" : "");
}

[[nodiscard]] std::string vfp(const MemoryAccess& access) {
    const char kind = access.size == 8 ? 'd' : 's';
    if (access.before && !access.writeback)
        return std::string{access.write ? "vstr " : "vldr "} + kind + std::to_string(access.rt) + ", " + place(access);
    std::string list;
    for (unsigned n = 0; n < access.count; ++n) list += (n == 0 ? "" : ", ") + (kind + std::to_string(access.rt + n));
    return std::string{access.write ? "vstm" : "vldm"} + (access.before ? "db " : "ia ") + registers[access.rn] +
           (access.writeback ? "!" : "") + ", {" + list + "}" + (access.size == 8 && (access.immediate & 4u) != 0 ? " x" : "");
}

[[nodiscard]] std::string text(const MemoryAccess& access) {
    switch (access.form) {
        case Form::none: return "-";
        case Form::unsupported: return "?";
        case Form::single:
            return std::string{access.write ? "str" : "ldr"} + suffix(access) + (access.unprivileged ? "t " : " ") + registers[access.rt] +
                   ", " + place(access);
        case Form::dual: return std::string{access.write ? "strd " : "ldrd "} + pair(access) + ", " + place(access);
        case Form::multiple: return block(access);
        case Form::load_exclusive: return std::string{"ldrex"} + suffix(access) + " " + pair(access) + ", " + place(access);
        case Form::store_exclusive:
            return std::string{"strex"} + suffix(access) + " " + registers[access.rd] + ", " + pair(access) + ", " + place(access);
        case Form::swap:
            return std::string{"swp"} + suffix(access) + " " + registers[access.rt] + ", " + registers[access.rt2] + ", " + place(access);
        case Form::vfp: return vfp(access);
        case Form::table_branch: return std::string{"tb"} + suffix(access) + " " + place(access);
    }
    return "";
}

// The instruction's bytes as they lie in memory.
void print(uint32_t instruction, unsigned bytes, const MemoryAccess& access) {
    for (unsigned n = 0; n < bytes; ++n) std::printf("%02x", instruction >> n * 8 & 0xffu);
    std::printf("\t%s\n", text(access).c_str());
}

void a32(uint32_t instruction) { print(instruction | 0xe000'0000u, 4, partita::decode_a32(instruction | 0xe000'0000u)); }

void t32(uint32_t first, uint32_t second) { print(second << 16 | first, 4, partita::decode_t32(first << 16 | second)); }

// All values of P, U, B or I, W and L, of two registers, and `others` of what is left.
template <typename Others>
void all_registers(uint32_t pattern, Others&& others) {
    for (uint32_t flags = 0; flags < 32; ++flags)
        for (uint32_t rn_rt = 0; rn_rt < 256; ++rn_rt) others(pattern | flags << 20 | rn_rt << 12);
}

void all_a32(std::mt19937& random) {
    all_registers(0x0400'0000, [](uint32_t begun) {
        for (const uint32_t immediate : {0u, 1u, 4u, 0x800u, 0xfffu}) a32(begun | immediate);
    });
    all_registers(0x0600'0000, [&](uint32_t begun) {
        for (uint32_t rm = 0; rm < 16; ++rm) {
            a32(begun | (random() & 0xfe0u) | rm);
            a32(begun | (random() & 0x060u) | rm);  // amounts of 0: 32, or RRX
        }
    });
    for (const uint32_t kind : {0x0b0u, 0x0d0u, 0x0f0u})
        all_registers(kind, [&](uint32_t begun) {
            for (uint32_t low = 0; low < 16; ++low) {
                a32(begun | low);
                a32(begun | (random() & 0xf00u) | low);
            }
        });
    for (uint32_t operation = 0; operation < 16; ++operation)  // synchronisation primitives, and what is beside them
        for (uint32_t operands = 0; operands < 4096; ++operands)
            for (const uint32_t should_be_one : {0xf00u, 0xe00u, 0xc00u, 0x000u})
                a32(0x0100'0090u | operation << 20 | (operands >> 4) << 12 | should_be_one | (operands & 15u));
    for (uint32_t flags = 0; flags < 32; ++flags)
        for (uint32_t rn = 0; rn < 16; ++rn) {
            for (uint32_t n = 0; n < 16; ++n) a32(0x0800'0000u | flags << 20 | rn << 16 | 1u << n);
            for (uint32_t n = 0; n < 100; ++n) a32(0x0800'0000u | flags << 20 | rn << 16 | (random() & 0xffffu));
        }
    for (const uint32_t coprocessor : {0xa00u, 0xb00u})
        all_registers(0x0c00'0000u | coprocessor, [](uint32_t begun) {
            for (const uint32_t words : {0u, 1u, 2u, 3u, 4u, 31u, 32u, 33u, 64u, 255u}) a32(begun | words);
        });
    for (uint32_t n = 0; n < 300'000; ++n) a32(random() & 0x0fff'ffffu);
}

void all_t32(std::mt19937& random) {
    for (uint32_t halfword = 0; halfword < 0x10000; ++halfword)
        if (!partita::is_wide(halfword)) print(halfword, 2, partita::decode_t16(halfword));
    for (const uint32_t begin : {0xe800u, 0xe900u, 0xec00u, 0xed00u, 0xf800u, 0xf900u})
        for (uint32_t first = begin; first < begin + 0x100; ++first) {
            for (uint32_t n = 0; n < 16 * 64; ++n) t32(first, n / 64 << 12 | (n % 64) << 6 | (random() & 0x3fu));  // each Rt, each form
            for (uint32_t n = 0; n < 16 * 16; ++n) t32(first, n / 16 << 12 | 0xf00u | (random() & 0xf0u) | n % 16);
            if (begin >= 0xf800) continue;
            for (uint32_t n = 0; n < 256; ++n) t32(first, random() & 0xffffu);
        }
    for (uint32_t n = 0; n < 200'000; ++n) {
        const uint32_t first = 0xe800u | (random() & 0x17ffu);
        t32(first, random() & 0xffffu);
    }
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view set = count > 1 ? arguments[1] : "";
    std::mt19937 random(count > 2 ? static_cast<uint32_t>(std::strtoul(arguments[2], nullptr, 0)) : 1u);
    if (set != "a32" && set != "t32") return std::fputs("decodings a32|t32 [SEED]\n", stderr), 2;
    set == "a32" ? all_a32(random) : all_t32(random);
    return std::fflush(stdout) == 0 ? 0 : 1;
}
