#include "machine/smmu.hpp"

#include "barrier.hpp"
#include "boot/panic.hpp"
#include "machine/layout.hpp"
#include "mmio.hpp"

namespace partita {

using namespace smmu;
using std::uint32_t;
using std::uint64_t;

namespace {

// CR0 (IHI 0070 §6.3.9).
constexpr uint32_t enable = 1u << 0, enable_events = 1u << 2, enable_commands = 1u << 3;
// CR1: tables and queues are inner shareable, write-back. CR2: streams outside the table end silently, TLBs take no broadcast.
constexpr uint32_t write_back = 0xd75, private_tlb = 1u << 2;
constexpr uint32_t update = 1u << 31, abort_all = 1u << 20;                         // GBPA
constexpr uint32_t event_interrupt = 1u << 2;                                       // IRQ_CTRL
constexpr uint64_t allocate = uint64_t{1} << 62;                                    // read-allocate, in the bases
constexpr uint32_t overflow = 1u << 31;                                             // EVENTQ_PROD, EVENTQ_CONS
constexpr uint32_t stage2 = 1u << 0, aarch64_tables = 1u << 3, coherent = 1u << 4;  // IDR0

// Commands (§4).
constexpr uint64_t invalidate_entry = 0x03, invalidate_all_entries = 0x04, invalidate_vmid = 0x28, invalidate_all_nonsecure = 0x30,
                   synchronize_all = 0x46;

// A stream's entry (§5.2): V with Config 0 (abort, nothing recorded) or 6 (stage 2 alone).
constexpr uint64_t blocked = 1, translated = 1 | 6 << 1;
constexpr uint64_t incoming_shareability = uint64_t{1} << 44;
// 32-bit IPAs from level 1 on, write-back and inner shareable walks of 4 KiB tables, 40-bit output, AArch64 format, faults recorded. A
// stalled transaction is not asked for: it ends.
constexpr uint64_t geometry = uint64_t{32} << 32 | uint64_t{1} << 38 | uint64_t{1} << 40 | uint64_t{1} << 42 | uint64_t{3} << 44 |
                              uint64_t{2} << 48 | uint64_t{1} << 51 | uint64_t{1} << 58;

[[nodiscard]] uint32_t read(Register reg) { return read32(layout::smmu + reg); }
void write(Register reg, uint32_t value) { write32(layout::smmu + reg, value); }
void write64(Register reg, uint64_t value) {
    write32(layout::smmu + reg, static_cast<uint32_t>(value));
    write32(layout::smmu + reg + 4, static_cast<uint32_t>(value >> 32));
}

// What the hardware acknowledges within microseconds. Where it does not, no device can be said to be confined.
template <typename Done>
void await(Done&& done) {
    constexpr unsigned most = 100'000;
    for (unsigned n = 0; n < most; ++n)
        if (done()) return;
    panic("the System MMU does not answer", read(GERROR));
}

void set_control(uint32_t value) {
    write(CR0, value);
    await([value] { return read(CR0ACK) == value; });
}

// Indices have a wrap bit above them.
[[nodiscard]] constexpr uint32_t after(uint32_t position, uint32_t bits) { return (position + 1) & ((2u << bits) - 1); }
[[nodiscard]] constexpr uint32_t index(uint32_t position, uint32_t bits) { return position & ((1u << bits) - 1); }

}  // namespace

void SmmuV3::stop_all() {
    write(GBPA, update | abort_all);
    await([] { return (read(GBPA) & update) == 0; });
    set_control(0);
}

void SmmuV3::start(const SmmuMemory& memory) {
    constexpr uint32_t needed = stage2 | aarch64_tables | coherent;
    if (const uint32_t has = read(IDR0); (has & needed) != needed) panic("the System MMU lacks stage 2 or coherent table walks", has);
    memory_ = memory;
    for (StreamEntry& entry : memory_.streams) entry.words[0] = blocked;
    dsb();
    write(CR1, write_back);
    write(CR2, private_tlb);
    constexpr uint32_t stream_bits = static_cast<uint32_t>(__builtin_ctz(PARTITA_MAX_STREAMS));
    write64(STRTAB_BASE, memory.streams_at.value | allocate);
    write(STRTAB_BASE_CFG, stream_bits);
    write64(CMDQ_BASE, memory.commands_at.value | allocate | command_bits);
    write(CMDQ_PROD, 0);
    write(CMDQ_CONS, 0);
    write64(EVENTQ_BASE, memory.events_at.value | allocate | event_bits);
    write(EVENTQ_PROD, 0);
    write(EVENTQ_CONS, 0);
    set_control(enable_commands);
    issue({{invalidate_all_entries, 31}});
    issue({{invalidate_all_nonsecure, 0}});
    synchronize();
    set_control(enable_commands | enable_events);
    write(IRQ_CTRL, event_interrupt);
    await([] { return read(IRQ_CTRLACK) == event_interrupt; });
    set_control(enable_commands | enable_events | enable);
}

void SmmuV3::issue(Command command) {
    // Each batch is synchronised before the next, so that there always is room.
    Command& slot = memory_.commands[index(produced_, command_bits)];
    slot.words[0] = command.words[0];
    slot.words[1] = command.words[1];
    produced_ = after(produced_, command_bits);
    dsb();
    write(CMDQ_PROD, produced_);
}

void SmmuV3::synchronize() {
    issue({{synchronize_all, 0}});
    constexpr uint32_t positions = (2u << command_bits) - 1;
    await([this] { return (read(CMDQ_CONS) & positions) == produced_; });
}

// The hardware sees the entry as blocked until it is whole (§3.21.3.1).
void SmmuV3::change_entry(uint32_t stream, const StreamEntry& entry) {
    StreamEntry& own = memory_.streams[stream];
    const auto tell = [&] {
        dsb();
        issue({{invalidate_entry | uint64_t{stream} << 32, 1}});
        synchronize();
    };
    own.words[0] = blocked;
    tell();
    if (entry.words[0] == blocked) return;
    for (unsigned n = 1; n < 8; ++n) own.words[n] = entry.words[n];
    dsb();
    own.words[0] = entry.words[0];
    tell();
}

void SmmuV3::attach(uint32_t stream, PhysAddr tables, uint32_t vmid) {
    change_entry(stream, {{translated, incoming_shareability, geometry | vmid, tables.value, 0, 0, 0, 0}});
}

void SmmuV3::block(uint32_t stream) { change_entry(stream, {{blocked, 0, 0, 0, 0, 0, 0, 0}}); }

void SmmuV3::forget(uint32_t vmid) {
    dsb();
    issue({{invalidate_vmid | uint64_t{vmid} << 32, 0}});
    synchronize();
}

// Records are described in §7.3.
std::optional<DmaFault> SmmuV3::next_fault() {
    constexpr uint32_t positions = (2u << event_bits) - 1;
    if ((read(EVENTQ_PROD) & positions) == (consumed_ & positions)) return std::nullopt;
    dsb();
    const Event& event = memory_.events[index(consumed_, event_bits)];
    DmaFault out;
    out.code = static_cast<uint32_t>(event.words[0] & 0xff);
    out.stream = static_cast<uint32_t>(event.words[0] >> 32);
    out.write = (event.words[1] >> 35 & 1u) == 0;
    out.address = event.words[2];
    constexpr uint32_t translation = 0x10, address_size = 0x11, access = 0x12, permission = 0x13;
    if (out.code == translation || out.code == address_size) out.reason = DmaFault::Reason::unmapped;
    if (out.code == access || out.code == permission) out.reason = DmaFault::Reason::permission;
    consumed_ = after(consumed_ & positions, event_bits) | (consumed_ & overflow);
    dsb();  // read before it may be overwritten
    write(EVENTQ_CONS, consumed_);
    return out;
}

uint32_t SmmuV3::last_fault() const { return read(EVENTQ_PROD); }

// Within the queue's size, which is half of the positions, one is behind the other or it is not.
bool SmmuV3::given(uint32_t mark) const { return ((consumed_ - mark) & ((2u << event_bits) - 1)) < (1u << event_bits); }

bool SmmuV3::lost_faults() {
    if (((read(EVENTQ_PROD) ^ consumed_) & overflow) == 0) return false;
    consumed_ ^= overflow;
    write(EVENTQ_CONS, consumed_);
    return true;
}

}  // namespace partita
