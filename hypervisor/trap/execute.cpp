#include "trap/execute.hpp"

#include <array>
#include <bit>

#include "arch/registers.hpp"
#include "banked.hpp"
#include "barrier.hpp"
#include "partition/world_switch.hpp"
#include "schedule/cpu.hpp"
#include "trap/device_access.hpp"
#include "trap/guest_registers.hpp"
#include "trap/inject.hpp"

namespace partita {

namespace {

using Form = MemoryAccess::Form;
using Shift = MemoryAccess::Shift;
using std::uint32_t;

constexpr unsigned pc = 15;

// One instruction that is being carried out.
class Execution {
public:
    Execution(Vcpu& vcpu, const MemoryAccess& access, unsigned bytes, ElementFault& fault)
        : vcpu_(vcpu), access_(access), bytes_(bytes), fault_(fault), state_(read_spsr()) {}

    [[nodiscard]] Executed carry_out() {
        switch (access_.form) {
            case Form::none: return Executed::again;
            case Form::unsupported: return Executed::unknown;
            case Form::single: return single();
            case Form::dual: return pair(false);
            case Form::multiple: return multiple();
            case Form::load_exclusive: return load_exclusive();
            case Form::store_exclusive: return store_exclusive();
            case Form::swap: return swap();
            case Form::vfp: return vfp();
            case Form::table_branch: return table_branch();
        }
        return Executed::unknown;
    }

    [[nodiscard]] std::optional<DataAbort> describe(DataAbort abort) {
        const bool plain = access_.form == Form::single && access_.rt != pc && access_.write == abort.write();
        if (!plain || (access_.writeback && access_.rn == access_.rt)) return std::nullopt;
        write_back(moved(offset()));
        constexpr uint32_t told =
            DataAbort::Valid::mask | DataAbort::Size::mask | DataAbort::SignExtend::mask | DataAbort::Register::mask | Syndrome::Long::mask;
        return DataAbort{
            (abort.raw & ~told) | DataAbort::Valid::mask | DataAbort::Size::make(static_cast<uint32_t>(std::countr_zero(access_.size))) |
            DataAbort::SignExtend::make(access_.sign_extend) | DataAbort::Register::make(access_.rt) | Syndrome::Long::make(bytes_ == 4)};
    }

private:
    [[nodiscard]] bool thumb() const { return psr::Thumb::test(state_); }
    [[nodiscard]] bool privileged() const { return psr::Mode::get(state_) != psr::usr && !access_.unprivileged; }
    [[nodiscard]] uint32_t pc_value() const { return read_elr() + (thumb() ? 4 : 8); }

    [[nodiscard]] uint32_t reg(unsigned n) const { return n == pc ? pc_value() : guest_register(vcpu_, n); }
    [[nodiscard]] uint32_t base() const {
        return access_.rn == pc && access_.form != Form::table_branch ? pc_value() & ~3u : reg(access_.rn);
    }

    // Shift() of A2.2.1, of the offset register.
    [[nodiscard]] uint32_t offset() const {
        if (access_.rm == MemoryAccess::no_register) return access_.immediate;
        const uint32_t value = reg(access_.rm), amount = access_.amount;
        switch (access_.shift) {
            case Shift::lsl: return value << amount;
            case Shift::lsr: return amount == 32 ? 0 : value >> amount;
            case Shift::asr: return static_cast<uint32_t>(static_cast<std::int32_t>(value) >> (amount == 32 ? 31 : amount));
            case Shift::ror: return std::rotr(value, static_cast<int>(amount));
            case Shift::rrx: return value >> 1 | (state_ >> 29 & 1u) << 31;
        }
        return 0;
    }
    [[nodiscard]] uint32_t moved(uint32_t by) const { return access_.up ? base() + by : base() - by; }
    [[nodiscard]] uint32_t address(uint32_t by) const { return access_.before ? moved(by) : base(); }
    void write_back(uint32_t value) {
        if (access_.writeback) set_guest_register(vcpu_, access_.rn, value);
    }

    // Values are as registers hold them: the guest's byte order is applied here.
    [[nodiscard]] Executed load(uint32_t at, unsigned size, uint32_t& value) {
        const Executed read = read_element(vcpu_, at, size, privileged(), value, fault_);
        if (read == Executed::done && psr::BigEndian::test(state_)) value = swap_bytes(value, size);
        return read;
    }
    [[nodiscard]] Executed store(uint32_t at, unsigned size, uint32_t value) {
        value = low_bytes(value, size);
        return write_element(vcpu_, at, size, privileged(), psr::BigEndian::test(state_) ? swap_bytes(value, size) : value, fault_);
    }

    [[nodiscard]] Executed advance() {
        advance_pc(bytes_ == 4);
        return Executed::done;
    }
    // LoadWritePC() of A2.3.1: bit 0 says which instruction set goes on.
    [[nodiscard]] Executed branch(uint32_t target) {
        advance_pc(bytes_ == 4);  // the IT block's state
        write_spsr(returnable(psr::Thumb::set(read_spsr(), target & 1u)));
        write_elr((target & 1u) != 0 ? target & ~1u : target & ~3u);
        return Executed::done;
    }

    [[nodiscard]] Executed single() {
        const uint32_t by = offset(), at = address(by);
        if (access_.write) {
            if (const Executed stored = store(at, access_.size, reg(access_.rt)); stored != Executed::done) return stored;
            write_back(moved(by));
            return advance();
        }
        uint32_t value = 0;
        if (const Executed loaded = load(at, access_.size, value); loaded != Executed::done) return loaded;
        write_back(moved(by));
        if (access_.rt == pc) return branch(value);
        set_guest_register(vcpu_, access_.rt, access_.sign_extend ? extend(value, access_.size) : value);
        return advance();
    }

    // Two words. An exclusive pair keeps the first register's word at the lower address in either byte order (A8.8.77, A8.8.214).
    [[nodiscard]] Executed pair(bool exclusive) {
        const uint32_t by = offset(), at = address(by);
        std::array<uint32_t, 2> values{reg(access_.rt), reg(access_.rt2)};
        for (unsigned n = 0; n < 2; ++n)
            if (const Executed moved_one = access_.write ? store(at + n * 4, 4, values[n]) : load(at + n * 4, 4, values[n]);
                moved_one != Executed::done)
                return moved_one;
        if (!exclusive) write_back(moved(by));
        if (!access_.write) {
            set_guest_register(vcpu_, access_.rt, values[0]);
            set_guest_register(vcpu_, access_.rt2, values[1]);
        }
        return exclusive ? Executed::done : advance();
    }

    [[nodiscard]] bool returns() const { return access_.user && !access_.write && (access_.list >> pc & 1u) != 0; }
    [[nodiscard]] bool of_user() const { return access_.user && !returns(); }

    [[nodiscard]] Executed multiple() {
        const uint32_t begin = base(), size = registers_in(access_.list) * 4;
        uint32_t at = access_.up ? begin : begin - size;
        if (access_.before == access_.up) at += 4;
        if (returns() && !has_spsr()) return Executed::unknown;
        std::array<uint32_t, 16> values{};
        for (uint32_t left = access_.list; left != 0; left &= left - 1, at += 4) {
            const auto n = static_cast<unsigned>(std::countr_zero(left));
            const uint32_t own = of_user() && n != pc ? user_register(vcpu_, n) : reg(n);
            if (const Executed one = access_.write ? store(at, 4, own) : load(at, 4, values[n]); one != Executed::done) return one;
        }
        write_back(access_.up ? begin + size : begin - size);
        if (!access_.write) fill(values);
        if (access_.write || (access_.list >> pc & 1u) == 0) return advance();
        return returns() ? exception_return(values[pc]) : branch(values[pc]);
    }
    void fill(const std::array<uint32_t, 16>& values) {
        for (uint32_t left = access_.list & 0x7fffu; left != 0; left &= left - 1) {
            const auto n = static_cast<unsigned>(std::countr_zero(left));
            of_user() ? set_user_register(vcpu_, n, values[n]) : set_guest_register(vcpu_, n, values[n]);
        }
    }
    [[nodiscard]] bool has_spsr() const {
        const uint32_t mode = psr::Mode::get(state_);
        return mode != psr::usr && mode != psr::sys;
    }
    // LDM with the PC and ^: the mode's SPSR becomes CPSR (B9.3.5). A mode that a guest has not leaves it in the one that it is in.
    [[nodiscard]] Executed exception_return(uint32_t target) {
        uint32_t next = returnable(read_spsr_of(psr::Mode::get(state_)));
        if (!is_guest_mode(next)) next = psr::Mode::set(next, psr::Mode::get(state_));
        write_spsr(next);
        write_elr(target & ~(psr::Thumb::test(next) ? 1u : 3u));
        return Executed::done;
    }

    [[nodiscard]] Executed load_exclusive() {
        uint32_t value = 0;
        const uint32_t at = address(offset());
        const Executed loaded = access_.size == 8 ? pair(true) : load(at, access_.size, value);
        if (loaded != Executed::done) return loaded;
        vcpu_.exclusive_address = at, vcpu_.exclusive_size = access_.size;
        if (access_.size != 8) set_guest_register(vcpu_, access_.rt, value);
        return advance();
    }
    [[nodiscard]] Executed store_exclusive() {
        const uint32_t at = address(offset());
        const bool marked = vcpu_.exclusive_size == access_.size && vcpu_.exclusive_address == at;
        if (marked) {
            const Executed stored = access_.size == 8 ? pair(true) : store(at, access_.size, reg(access_.rt));
            if (stored != Executed::done) return stored;
        }
        vcpu_.exclusive_size = 0;
        set_guest_register(vcpu_, access_.rd, marked ? 0 : 1);
        return advance();
    }

    [[nodiscard]] Executed swap() {
        uint32_t value = 0;
        const uint32_t at = base();
        if (const Executed loaded = load(at, access_.size, value); loaded != Executed::done) return loaded;
        if (const Executed stored = store(at, access_.size, reg(access_.rt2)); stored != Executed::done) return stored;
        set_guest_register(vcpu_, access_.rt, value);
        return advance();
    }

    // The word of the register file that is at the n-th place in memory (A8.8.332: a doubleword's more significant word lies first
    // where E is set).
    [[nodiscard]] unsigned vfp_word(unsigned n) const {
        const bool swapped = access_.size == 8 && psr::BigEndian::test(state_);
        return access_.rt * (access_.size / 4u) + (swapped ? n ^ 1u : n);
    }
    [[nodiscard]] Executed move_vfp_word(uint32_t at, unsigned word) {
        std::uint64_t& both = vcpu_.vfp.d[word / 2];
        const unsigned shift = word % 2 * 32;
        auto value = static_cast<uint32_t>(both >> shift);
        if (access_.write) return store(at, 4, value);
        const Executed loaded = load(at, 4, value);
        both = (both & ~(std::uint64_t{0xffff'ffff} << shift)) | std::uint64_t{value} << shift;
        return loaded;
    }
    [[nodiscard]] Executed vfp() {
        // The guest has them enabled, and they are in this CPU; if not, the instruction is not the one that trapped.
        constexpr uint32_t enabled = 1u << 30;
        if (vcpu_.cpu->vfp_owner != &vcpu_ || (read_fpexc() & enabled) == 0) return Executed::again;
        save_vfp(&vcpu_.vfp);
        const uint32_t by = access_.immediate, words = access_.count * (access_.size / 4u);
        uint32_t at = address(by);
        for (unsigned n = 0; n < words; ++n, at += 4)
            if (const Executed one = move_vfp_word(at, vfp_word(n)); one != Executed::done) return one;
        if (!access_.write) load_vfp(&vcpu_.vfp);
        write_back(moved(by));
        return advance();
    }

    [[nodiscard]] Executed table_branch() {
        uint32_t halfwords = 0;
        if (const Executed loaded = load(base() + offset(), access_.size, halfwords); loaded != Executed::done) return loaded;
        return branch((pc_value() + halfwords * 2) | 1u);
    }

    Vcpu& vcpu_;
    const MemoryAccess& access_;
    unsigned bytes_;
    ElementFault& fault_;
    uint32_t state_;
};

// The instruction cache may hold what memory does not any more: what runs next is what was read.
void forget_instructions() {
    ICIALLU::write(0);
    BPIALL::write(0);
    dsb();
    isb();
}

struct Instruction {
    uint32_t value = 0;
    unsigned bytes = 4;
    uint32_t condition = 14;
};

[[nodiscard]] bool read_instruction(const Vcpu& vcpu, Instruction& instruction) {
    const uint32_t state = read_spsr(), at = read_elr();
    const bool privileged = psr::Mode::get(state) != psr::usr;
    if (!psr::Thumb::test(state)) {
        if (!fetch(vcpu, at, 4, privileged, instruction.value)) return false;
        instruction.condition = instruction.value >> 28;
        return true;
    }
    if (const uint32_t it = it_state(state); it != 0) instruction.condition = it >> 4;
    if (!fetch(vcpu, at, 2, privileged, instruction.value)) return false;
    instruction.bytes = is_wide(instruction.value) ? 4 : 2;
    if (instruction.bytes == 2) return true;
    uint32_t second = 0;
    if (!fetch(vcpu, at + 2, 2, privileged, second)) return false;
    instruction.value = instruction.value << 16 | second;
    return true;
}

[[nodiscard]] MemoryAccess decode(const Instruction& instruction, bool thumb) {
    if (!thumb) return decode_a32(instruction.value);
    return instruction.bytes == 4 ? decode_t32(instruction.value) : decode_t16(instruction.value);
}

}  // namespace

Executed execute(Vcpu& vcpu, const MemoryAccess& access, unsigned bytes, ElementFault& fault) {
    return Execution(vcpu, access, bytes, fault).carry_out();
}

std::optional<DataAbort> describe_instruction(Vcpu& vcpu, DataAbort abort) {
    Instruction instruction;
    if (!read_instruction(vcpu, instruction) || !condition_holds(instruction.condition, read_spsr())) return std::nullopt;
    const MemoryAccess access = decode(instruction, psr::Thumb::test(read_spsr()));
    ElementFault none;
    return Execution(vcpu, access, instruction.bytes, none).describe(abort);
}

Executed emulate_instruction(Vcpu& vcpu, ElementFault& fault) {
    Instruction instruction;
    if (!read_instruction(vcpu, instruction)) return Executed::again;
    const bool thumb = psr::Thumb::test(read_spsr());
    const MemoryAccess access = decode(instruction, thumb);
    if (access.form == MemoryAccess::Form::none || !condition_holds(instruction.condition, read_spsr())) {
        forget_instructions();
        return Executed::again;
    }
    return execute(vcpu, access, instruction.bytes, fault);
}

}  // namespace partita
