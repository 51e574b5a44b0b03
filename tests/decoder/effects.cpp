// The executor against an independent CPU: random loads and stores, of all forms, are carried out here by the code that runs in Hyp
// and by qemu-arm, from the same state. Registers, flags, VFP registers and memory must be the same afterwards.
//   effects QEMU-ARM PERFORM [CASES [SEED]]
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "../unit/fake_system.hpp"
#include "banked.hpp"
#include "case.h"
#include "trap/execute.hpp"

namespace {

using namespace partita;
using Form = MemoryAccess::Form;
using std::uint32_t;

constexpr unsigned code_size = 8;  // of the instruction, and the one behind it

class Identity : public FakeTranslation {
public:
    std::uint64_t translate(uint32_t address, bool, bool) override {
        const bool inside = address - AREA < AREA_SIZE;
        return inside ? address & ~0xfffu : 0xfu << 1 | 1u;
    }
};

struct Case {
    uint32_t instruction = 0;
    unsigned bytes = 4;
    bool thumb = false;
    MemoryAccess access;
    state before{}, after{};
};

const char* const form_names[] = {"none",           "unsupported",     "single", "dual", "multiple",
                                  "load exclusive", "store exclusive", "swap",   "vfp",  "table branch"};

class Comparison {
public:
    explicit Comparison(uint32_t seed) : random_(seed) { fake_translation = &translation_; }
    ~Comparison() { fake_translation = nullptr; }

    // A case that both can carry out without touching what leads to and from it.
    [[nodiscard]] bool next(Case& out) {
        out = {};
        choose(out);
        if (out.access.form == Form::none || out.access.form == Form::unsupported || out.access.user) return false;  // ^: not in User mode
        if (out.access.form == Form::dual && out.access.rn == 15 && (out.access.immediate & 3u) != 0) return false;  // not aligned
        fill(out);
        aim(out);
        place_code(out);
        return perform(out);
    }

    // By the executor.
    [[nodiscard]] bool perform(Case& one) {
        Vcpu& vcpu = vcpu_;
        std::byte* const memory = fake_hardware.memory(vcpu.partition->regions[0].pa + (AREA - vcpu.partition->regions[0].ipa));
        std::memcpy(memory, one.before.memory, AREA_SIZE);
        std::memset(memory + AREA_SIZE, 0, 4);
        std::copy_n(one.before.r, 13, vcpu.r.begin());
        vcpu.r[13] = one.before.r[14];
        write_banked(psr::usr, 13, one.before.r[13]);
        write_elr(CODE);
        write_spsr(one.before.cpsr);
        vcpu.exclusive_size = 0;
        vcpu.cpu->vfp_owner = &vcpu;
        std::copy_n(one.before.d, 32, fake_hardware.vfp.d.begin());
        fake_hardware.vfp.fpexc = 1u << 30;
        ElementFault fault;
        if (emulate_instruction(vcpu, fault) != Executed::done) return false;
        one.after = one.before;
        std::copy_n(vcpu.r.begin(), 13, one.after.r);
        one.after.r[14] = vcpu.r[13];
        one.after.r[13] = read_banked(psr::usr, 13);
        one.after.r[15] = read_elr();
        one.after.cpsr = read_spsr();
        std::copy_n(fake_hardware.vfp.d.begin(), 32, one.after.d);
        std::memcpy(one.after.memory, memory, AREA_SIZE);
        const bool whole =
            std::memcmp(one.after.memory + (ENTRY - AREA), one.before.memory + (ENTRY - AREA), CODE + code_size - ENTRY) == 0;
        // A branch is the last of its IT block, or UNPREDICTABLE (A8.3.1).
        const bool in_block = (it_state(one.before.cpsr) & 7u) != 0, branched = one.after.r[15] != CODE + one.bytes;
        return whole && ends_there(one) && !(in_block && branched);
    }

private:
    // Where it goes on, nothing can be carried out.
    [[nodiscard]] static bool ends_there(const Case& one) {
        return one.after.r[15] == CODE + one.bytes || one.after.r[15] - AREA >= 0x1000;  // the page
    }
    uint32_t word() { return static_cast<uint32_t>(random_()); }

    void choose(Case& one) {
        static constexpr uint32_t a32_shapes[] = {0x0400'0000, 0x0600'0000, 0x0000'0090, 0x0100'0f90, 0x0800'0000, 0x0c00'0a00};
        const uint32_t kind = word() % 4;
        one.thumb = kind >= 2;
        if (!one.thumb) {
            const uint32_t shape = a32_shapes[word() % std::size(a32_shapes)];
            uint32_t instruction = (word() & 0x01ff'ffffu & ~0xe00u) | (word() & 0x0e00u) | shape;
            if (shape == 0x0000'0090) instruction = (instruction & ~0xf00u) | (word() % 2 == 0 ? 0 : word() & 0xf00u);
            if (shape == 0x0100'0f90) instruction = (instruction & 0x01ff'f00fu) | 0x0180'0f90u | (word() % 2 == 0 ? 0xfu : 0);
            if (shape == 0x0100'0f90 && word() % 4 == 0) instruction = (instruction & 0x000f'f00fu) | 0x0100'0090u | (word() & 1u) << 22;
            if (shape == 0x0c00'0a00) instruction = (instruction & ~0xecu) | (word() & 0xcu);
            one.instruction = instruction | 0xe000'0000u;
            one.access = decode_a32(one.instruction);
        } else if (kind == 2) {
            one.bytes = 2;
            one.instruction = word() & 0xffffu;
            if (!is_wide(one.instruction)) one.access = decode_t16(one.instruction);
        } else {
            static constexpr uint32_t t32_shapes[] = {0xe800'0000, 0xe900'0000, 0xec00'0a00, 0xf800'0000, 0xf900'0000};
            const uint32_t shape = t32_shapes[word() % std::size(t32_shapes)];
            uint32_t instruction = (word() & 0x01ff'ffffu) | shape;
            if (shape == 0xf800'0000 && word() % 3 == 0) instruction &= ~0xfc0u;
            if (shape == 0xe800'0000 && word() % 2 == 0) instruction = 0xe8c0'0000u | (word() & 0x1f'f000u) | (word() & 0xffu) | 0xf00u;
            if (shape == 0xe800'0000 && word() % 8 == 0) instruction = 0xe8d0'0f4fu | (word() & 0xf'f000u) | (word() & 0x10u);
            if (shape == 0xe800'0000 && word() % 8 == 0) instruction = 0xe8d0'007fu | (word() & 0xf'ff00u);
            if (shape == 0xe800'0000 && word() % 8 == 0) instruction = 0xe850'0f00u | (word() & 0xf'f0ffu);
            if (shape == 0xe800'0000 && word() % 8 == 0) instruction = 0xe8d0'f000u | (word() & 0xf'001fu);
            if (shape == 0xec00'0a00) instruction &= ~0xe0u;
            one.instruction = instruction;
            one.access = decode_t32(instruction);
        }
    }

    void fill(Case& one) {
        for (uint32_t& value : one.before.r) value = word();
        for (std::uint64_t& value : one.before.d) value = std::uint64_t{word()} << 32 | word();
        for (std::uint8_t& byte : one.before.memory) byte = static_cast<std::uint8_t>(word());
        one.before.cpsr =
            psr::usr | (word() & 0xf000'0000u) | (word() % 4 == 0 ? psr::BigEndian::mask : 0) | (one.thumb ? psr::Thumb::mask : 0);
        if (one.thumb && word() % 4 == 0) {  // the last of an IT block, or not: EQ, which holds
            const uint32_t it = word() % 2 == 0 ? 0x08u : 0x04u;
            one.before.cpsr |= 1u << 30;
            one.before.cpsr = psr::ItLow::set(psr::ItHigh::set(one.before.cpsr, it >> 2), it & 3u);
        }
        if (one.access.rm != MemoryAccess::no_register) one.before.r[one.access.rm] = word() % 3 == 0 ? word() : word() & 0x7fu;
        if (one.access.form == Form::dual && one.access.rm != MemoryAccess::no_register) one.before.r[one.access.rm] &= ~3u;
        // What is loaded to the PC is an address where nothing is, most of the time in the right form.
        for (unsigned n = 0; n + 4 <= AREA_SIZE; n += 4)
            if (word() % 2 == 0) {
                const uint32_t target = 0x1000'0000u | (word() & 0x0fff'fffcu) | (word() & 1u);
                std::memcpy(one.before.memory + n, &target, 4);
            }
    }

    // Gives the base register a value with which the access lies in the area: the executor says where it would have been.
    void aim(Case& one) {
        const MemoryAccess& access = one.access;
        const bool aligned = access.form != Form::single && access.form != Form::table_branch;
        const uint32_t size = access.form == Form::single || access.form == Form::swap                      ? access.size
                              : access.size == 8 && access.form != Form::vfp                                ? 8
                              : access.form == Form::store_exclusive || access.form == Form::load_exclusive ? access.size
                                                                                                            : 4;
        uint32_t at = AREA + word() % AREA_SIZE;
        if (aligned || word() % 2 == 0) at &= ~(size - 1);
        if (access.rn == 15) return;
        if (access.form == Form::multiple || access.form == Form::vfp || !access.before) {
            one.before.r[access.rn] = at;
            return;
        }
        uint32_t by = access.immediate;
        if (access.rm != MemoryAccess::no_register) by = shifted(one);
        one.before.r[access.rn] = access.up ? at - by : at + by;
    }
    [[nodiscard]] static uint32_t shifted(const Case& one) {
        const uint32_t value = one.before.r[one.access.rm];
        switch (one.access.shift) {
            case MemoryAccess::Shift::lsl: return value << one.access.amount;
            case MemoryAccess::Shift::lsr: return one.access.amount == 32 ? 0 : value >> one.access.amount;
            default: return value;  // aimed at by chance
        }
    }

    // ENTRY leads to it in its instruction set, with its byte order and IT block.
    static void place_code(Case& one) {
        const bool big = psr::BigEndian::test(one.before.cpsr), it = it_state(one.before.cpsr) != 0;
        uint32_t from = CODE;
        const auto put = [&](uint32_t at, uint32_t value, unsigned size) { std::memcpy(one.before.memory + (at - AREA), &value, size); };
        if (it) put(from -= 2, 0xbf00u | 0x00u << 4 | (it_state(one.before.cpsr) & 0xfu), 2);
        if (big) put(from -= one.thumb ? 2 : 4, one.thumb ? 0xb658u : 0xf101'0200u, one.thumb ? 2 : 4);
        put(ENTRY, 0xe51f'f004u, 4);  // ldr pc, [pc, #-4]
        put(ENTRY + 4, from | (one.thumb ? 1u : 0), 4);
        if (one.bytes == 4 && one.thumb) {
            put(CODE, one.instruction >> 16, 2);
            put(CODE + 2, one.instruction & 0xffffu, 2);
        } else {
            put(CODE, one.instruction, one.bytes);
        }
        put(CODE + one.bytes, one.thumb ? 0xde00u : 0xe7f0'00f0u, one.thumb ? 2 : 4);  // UDF
    }

    std::mt19937 random_;
    Identity translation_;
    FakeSystem fake_;
    Vcpu& vcpu_ = fake_.start(0);
};

// What differs, in words; empty: nothing.
[[nodiscard]] std::string difference(const state& ours, const state& theirs) {
    constexpr uint32_t compared = 0xf600'fe20u;  // flags, IT, E, T
    for (unsigned n = 0; n < 15; ++n)
        if (ours.r[n] != theirs.r[n]) return fmt::format("r{}", n);
    const uint32_t whole = psr::Thumb::test(ours.cpsr) ? ~1u : ~3u;  // bit 1 of a branch to A32 is UNPREDICTABLE
    if (((ours.r[15] ^ theirs.r[15]) & whole) != 0) return "pc";
    const uint32_t mask = compared & ~psr::BigEndian::mask;  // a signal handler is entered little-endian
    if (((ours.cpsr ^ theirs.cpsr) & mask) != 0) return "cpsr";
    for (unsigned n = 0; n < 32; ++n)
        if (ours.d[n] != theirs.d[n]) return fmt::format("d{}", n);
    for (unsigned n = 0; n < AREA_SIZE; ++n)
        if (ours.memory[n] != theirs.memory[n]) return fmt::format("memory at {:#x}", n);
    return {};
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 3) return std::fputs("effects QEMU-ARM PERFORM [CASES [SEED]]\n", stderr), 2;
    const unsigned long cases = count > 3 ? std::strtoul(arguments[3], nullptr, 0) : 20'000;
    Comparison comparison(count > 4 ? static_cast<uint32_t>(std::strtoul(arguments[4], nullptr, 0)) : 1u);
    const auto folder = std::filesystem::temp_directory_path() / ("partita-effects-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directories(folder);
    std::vector<Case> done;
    {
        std::ofstream in(folder / "in", std::ios::binary);
        for (Case one; done.size() < cases;) {
            if (!comparison.next(one)) continue;
            in.write(reinterpret_cast<const char*>(&one.before), sizeof one.before);
            done.push_back(one);
        }
    }
    const std::string command =
        std::string{arguments[1]} + " -cpu cortex-a15 " + arguments[2] + " <" + (folder / "in").string() + " >" + (folder / "out").string();
    const int status = std::system(command.c_str());
    std::ifstream out(folder / "out", std::ios::binary);
    std::map<std::string, unsigned> seen;
    unsigned wrong = 0;
    for (const Case& one : done) {
        state theirs;
        if (!out.read(reinterpret_cast<char*>(&theirs), sizeof theirs)) {
            std::printf("qemu-arm (status %d) ended before %s %08x\n", status, one.thumb ? "t32" : "a32", one.instruction);
            ++wrong;
            break;
        }
        ++seen[std::string{one.thumb ? "t32 " : "a32 "} + form_names[static_cast<unsigned>(one.access.form)] +
               (one.access.write ? " to" : " from") + " memory"];
        const std::string differs = difference(one.after, theirs);
        if (!differs.empty() && ++wrong < 20)
            std::printf("%s %08x: %s differs; pc %08x and %08x, cpsr %08x and %08x\n", one.thumb ? "t32" : "a32", one.instruction,
                        differs.c_str(), one.after.r[15], theirs.r[15], one.after.cpsr, theirs.cpsr);
    }
    out.close();
    std::filesystem::remove_all(folder);
    for (const auto& [what, times] : seen) std::printf("%8u %s\n", times, what.c_str());
    std::printf("%zu instructions carried out, %u otherwise than by qemu-arm\n", done.size(), wrong);
    return wrong == 0 ? 0 : 1;
}
