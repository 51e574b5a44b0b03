// Configuration space: PCI Local Bus 3.0 §6, PCI Express 4.0 §7.5.
#include "device/pci_function.hpp"

#include "mmio.hpp"

namespace partita {

using std::uint32_t;

namespace {

enum Register : uint32_t {
    id = 0x00,
    command = 0x04,
    cache_line = 0x0c,
    bar0 = 0x10,
    cardbus = 0x28,
    rom = 0x30,
    list = 0x34,
    interrupt = 0x3c
};
constexpr uint32_t bars = 6, standard_header = 0x40, extended = 0x100;

constexpr uint32_t memory_space = 1u << 1, bus_master = 1u << 2, interrupt_disable = 1u << 10;
// Beside these: memory write and invalidate, parity and system errors. I/O ports are nobody's.
constexpr uint32_t command_bits = memory_space | bus_master | interrupt_disable | 1u << 4 | 1u << 6 | 1u << 8;
constexpr uint32_t has_list = 1u << 20;  // in the word of command and status

enum CapabilityId : uint32_t { power = 0x01, msi = 0x05, vendor = 0x09, express = 0x10, msix = 0x11, advanced = 0x13, allocation = 0x14 };
constexpr uint32_t express_capabilities = 0x4, express_control = 0x8;
constexpr uint32_t can_reset = 1u << 28, reset = 1u << 15, phantom_functions = 1u << 9;

[[nodiscard]] constexpr uint32_t low_bytes(uint32_t value, unsigned size) { return size == 4 ? value : value & ((1u << size * 8) - 1); }

// What a write of `size` bytes at `offset` makes of a word.
[[nodiscard]] constexpr uint32_t merged(uint32_t word, uint32_t offset, unsigned size, uint32_t value) {
    const uint32_t shift = (offset & 3u) * 8, mask = low_bytes(~0u, size) << shift;
    return (word & ~mask) | (value << shift & mask);
}

}  // namespace

uint32_t PciFunction::hardware(uint32_t offset) const { return read32(config_ + offset); }

void PciFunction::set_hardware(uint32_t offset, unsigned size, uint32_t value) const {
    if (size == 4) return write32(config_ + offset, value);
    if (size == 2) return write16(config_ + offset, static_cast<std::uint16_t>(value));
    write8(config_ + offset, static_cast<std::uint8_t>(value));
}

// Messages where they are not the partition's; and what would move base address registers.
bool PciFunction::hidden(uint32_t capability) const {
    if (capability == msi || capability == msix) return (description_->flags & PARTITA_MASTER_MSI) == 0;
    return capability == allocation;
}

PciFunction::Capability PciFunction::capability_at(uint32_t at) const {
    const uint32_t word = hardware(at);
    return {at, word & 0xffu, word >> 8 & 0xfcu};
}

uint32_t PciFunction::first_capability() const { return (hardware(command) & has_list) != 0 ? hardware(list) & 0xfcu : 0; }

// The list is the hardware's: that it ends is not taken for granted.
PciFunction::Capability PciFunction::capability_around(uint32_t offset) const {
    Capability best;
    unsigned left = 48;
    for (uint32_t at = first_capability(); at >= standard_header && left != 0; --left) {
        const Capability one = capability_at(at);
        if (one.at <= offset && one.at >= best.at) best = one;
        at = one.next;
    }
    return best;
}

uint32_t PciFunction::visible_from(uint32_t at) const {
    for (unsigned left = 48; at >= standard_header && left != 0; --left) {
        const Capability one = capability_at(at);
        if (!hidden(one.id)) return at;
        at = one.next;
    }
    return 0;
}

uint32_t PciFunction::read_capability(uint32_t offset) const {
    const Capability capability = capability_around(offset);
    if (capability.at == 0 || hidden(capability.id)) return 0;
    if (capability.at != offset) return hardware(offset);
    return (hardware(offset) & 0xffff00ffu) | visible_from(capability.next) << 8;
}

uint32_t PciFunction::read_word(uint32_t offset) const {
    if (offset >= extended) return 0;  // what lies there, like ATS and SR-IOV, makes a function more than one stream
    if (offset >= standard_header) return read_capability(offset);
    if (offset >= bar0 && offset < bar0 + bars * 4) {
        const uint32_t bar = (offset - bar0) / 4;
        return (sizing_.load(std::memory_order_relaxed) >> bar & 1u) != 0 ? description_->bar_masks[bar] : description_->bars[bar];
    }
    const uint32_t value = hardware(offset);
    switch (offset) {
        case cardbus:
        case rom: return 0;
        case list: return visible_from(first_capability());
        case interrupt: return (description_->flags & PARTITA_MASTER_INTX) != 0 ? value : value & ~0xff00u;
        default: return value;
    }
}

uint32_t PciFunction::read(uint32_t offset, unsigned size) const { return low_bytes(read_word(offset & ~3u) >> (offset & 3u) * 8, size); }

// All ones ask for the size, which the register then tells until it is written again.
void PciFunction::write_bar(unsigned bar, unsigned size, uint32_t value) {
    const uint32_t mask = description_->bar_masks[bar] & ~0xfu;
    const bool asks = size == 4 && mask != 0 && (value & mask) == mask;
    if (asks)
        sizing_.fetch_or(1u << bar, std::memory_order_relaxed);
    else
        sizing_.fetch_and(~(1u << bar), std::memory_order_relaxed);
}

void PciFunction::write_command(uint32_t value) {
    value &= command_bits;
    if (cut_off_.load(std::memory_order_relaxed)) value &= ~bus_master;
    if ((description_->flags & PARTITA_MASTER_INTX) == 0) value |= interrupt_disable;
    // A reset that the partition asked for has cleared them, and memory space with it.
    if ((value & memory_space) != 0 && (hardware(command) & memory_space) == 0) place();
    set_hardware(command, 2, value);
}

void PciFunction::write_capability(uint32_t offset, unsigned size, uint32_t value) {
    const Capability capability = capability_around(offset);
    if (capability.at == 0 || hidden(capability.id)) return;
    // Some systems write whole words: what lies behind the header is meant.
    if (offset == capability.at && size == 4) return write_capability(offset + 2, 2, value >> 16);
    if (offset - capability.at < 2) return;
    switch (capability.id) {
        case power:
        case msi:
        case msix:
        case vendor:
        case advanced: break;
        case express: {
            // Other function numbers would be other streams.
            const uint32_t control = capability.at + express_control;
            if (offset <= control + 1 && offset + size > control + 1) value &= ~(phantom_functions >> (offset - control) * 8);
            break;
        }
        default: return;
    }
    set_hardware(offset, size, value);
}

void PciFunction::write(uint32_t offset, unsigned size, uint32_t value) {
    const uint32_t word = offset & ~3u;
    if (offset >= extended) return;
    if (offset >= standard_header) return write_capability(offset, size, value);
    if (word >= bar0 && word < bar0 + bars * 4) return write_bar((word - bar0) / 4, size, value);
    if (word == command) {
        if (offset < command + 2) write_command(merged(hardware(command), offset, size, value) & 0xffffu);
        const uint32_t ended = merged(0, offset, size, value) >> 16;  // the status: ones are acknowledged
        if (ended != 0) set_hardware(command + 2, 2, ended);
    } else if (word == cache_line && offset < cache_line + 2) {
        set_hardware(cache_line, 2, merged(hardware(cache_line), offset, size, value) & 0xffffu);
    } else if (offset == interrupt) {
        set_hardware(interrupt, 1, value);
    }
}

void PciFunction::place() const {
    for (unsigned bar = 0; bar < bars; ++bar)
        if (description_->bar_masks[bar] != 0) set_hardware(bar0 + bar * 4, 4, description_->bars[bar]);
    set_hardware(rom, 4, 0);
}

bool PciFunction::matches(uint32_t& where, uint32_t& found) const {
    where = id;
    found = hardware(id);
    if (found != description_->id) return false;
    set_hardware(command, 2, interrupt_disable);
    for (unsigned bar = 0; bar < bars; ++bar) {
        where = bar0 + bar * 4;
        set_hardware(where, 4, ~0u);
        found = hardware(where);
        set_hardware(where, 4, 0);
        const bool ports = (found & 1u) != 0;  // never enabled
        if (found != description_->bar_masks[bar] && !(ports && description_->bar_masks[bar] == 0)) return false;
    }
    return true;
}

bool PciFunction::quiesce() {
    set_hardware(command, 2, interrupt_disable);
    unsigned left = 48;
    for (uint32_t at = first_capability(); at >= standard_header && left != 0; --left) {
        const Capability one = capability_at(at);
        if (one.id == express && (hardware(at + express_capabilities) & can_reset) != 0) {
            set_hardware(at + express_control, 2, reset);
            return true;
        }
        at = one.next;
    }
    return false;
}

void PciFunction::program() {
    sizing_.store(0, std::memory_order_relaxed);
    cut_off_.store(false, std::memory_order_relaxed);
    set_hardware(command, 2, interrupt_disable);
    place();
    write_command(0);
}

void PciFunction::cut_off() {
    cut_off_.store(true, std::memory_order_relaxed);
    set_hardware(command, 2, hardware(command) & 0xffffu & ~bus_master);
}

}  // namespace partita
