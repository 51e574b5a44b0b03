#include "trap/guest_memory.hpp"

#include <algorithm>
#include <cstring>

#include "arch/registers.hpp"
#include "barrier.hpp"
#include "machine/window.hpp"
#include "trap/device_access.hpp"
#include "trap/guest_registers.hpp"

namespace partita {

using std::uint32_t;

namespace {

constexpr uint32_t page_size = 0x1000;
constexpr uint32_t extended_tables = 1u << 31;  // TTBCR.EAE

// A failure as DFSR tells it. PAR read in Hyp mode has the long format whatever the guest's tables are (DDI 0406C B3.13.3, B3.13.4).
[[nodiscard]] uint32_t status_of(uint32_t par) {
    const uint32_t status = par >> 1 & 0x3fu, level = status & 3u;
    if ((TTBCR::read() & extended_tables) != 0) return 1u << 9 | status;
    const bool page = level == 2;  // of two levels: a section, or a page
    switch (status >> 2) {
        case 0x1: return page ? 0x7 : 0x5;  // translation
        case 0x2: return page ? 0x6 : 0x3;  // access flag
        case 0x3: return page ? 0xf : 0xd;  // permission
        case 0xf: return page ? 0xb : 0x9;  // domain
        default: return 0x8;                // external
    }
}

// Whether stage 2 said no to the walk.
[[nodiscard]] bool by_stage_2(uint32_t par) { return (par >> 9 & 1u) != 0; }

struct Place {
    Ipa ipa;
    uint32_t device = PARTITA_DEVICE_NONE;
    const partita_region* region = nullptr;

    [[nodiscard]] PhysAddr physical() const { return PhysAddr{region->pa + (ipa.value - region->ipa)}; }
};

// What the partition has at an IPA: an emulated device, memory that allows `right`, or neither.
[[nodiscard]] bool find(const Vcpu& vcpu, Ipa ipa, uint32_t right, Place& place) {
    const auto page = static_cast<uint32_t>(ipa.value >> 12);
    place.ipa = ipa;
    place.device = emulated_at(vcpu, page);
    if (place.device != PARTITA_DEVICE_NONE) return true;
    for (const auto& region : vcpu.partition->regions)
        if (IpaRange{Ipa{region.ipa}, region.size}.contains(ipa)) {
            place.region = &region;
            // Hyp's windows are cached: what a channel's ends may see uncached is not reached through them.
            return (region.flags & right) != 0 && (region.flags & (PARTITA_REGION_DEVICE | PARTITA_REGION_CHANNEL)) == 0;
        }
    return false;
}

// Memory, through a window that is closed again. The guest may have its caches off: what a cache holds is written back before and
// after.
template <typename Use>
void with_memory(const Vcpu& vcpu, const Place& place, unsigned size, window::Slot slot, Use&& use) {
    const uint32_t cpu = vcpu.cpu->index;
    std::byte* const memory = window::open(cpu, slot, place.physical());
    window::clean(memory, size);
    use(memory);
    if (slot == window::Slot::target) window::clean(memory, size);
    window::close(cpu, slot);
}

[[nodiscard]] uint32_t read_at(Vcpu& vcpu, const Place& place, unsigned size) {
    uint32_t value = 0;
    const uint32_t offset = offset_in(place.device, static_cast<uint32_t>(place.ipa.value >> 12), static_cast<uint32_t>(place.ipa.value));
    if (place.region != nullptr)
        with_memory(vcpu, place, size, window::Slot::source, [&](const std::byte* memory) { std::memcpy(&value, memory, size); });
    else if (has_bytes(place.device) || (offset & 3u) == 0)
        value = low_bytes(read_device(vcpu, place.device, offset, size), size);
    return value;
}

void write_at(Vcpu& vcpu, const Place& place, unsigned size, uint32_t value) {
    const uint32_t offset = offset_in(place.device, static_cast<uint32_t>(place.ipa.value >> 12), static_cast<uint32_t>(place.ipa.value));
    if (place.region != nullptr)
        with_memory(vcpu, place, size, window::Slot::target, [&](std::byte* memory) { std::memcpy(memory, &value, size); });
    else if (has_bytes(place.device) || (offset & 3u) == 0)
        write_device(vcpu, place.device, offset, size, value);
}

[[nodiscard]] bool in_one_page(uint32_t address, unsigned size) { return (address & (page_size - 1)) + size <= page_size; }

// Where an element lies, and that it may be accessed there.
[[nodiscard]] Executed locate(const Vcpu& vcpu, uint32_t address, unsigned size, AccessKind kind, Place& place, ElementFault& fault) {
    fault = {};
    fault.address = address, fault.size = size, fault.write = kind.write;
    Ipa ipa;
    if (const uint32_t failure = translate(address, kind, ipa); failure != 0) {
        fault.status = status_of(failure), fault.reason = "table-walk";
        return by_stage_2(failure) ? Executed::refused : Executed::refused_by_guest;
    }
    fault.ipa = ipa.value;
    place = {};
    const bool found = find(vcpu, ipa, kind.write ? PARTITA_REGION_WRITE : PARTITA_REGION_READ, place);
    fault.reason = place.region != nullptr ? "permission" : "unmapped";
    // A server partition answers one access at a time, that the syndrome describes.
    if (place.device == PARTITA_DEVICE_VIRTIO) {
        fault.reason = "no-syndrome";
        return Executed::refused;
    }
    return found ? Executed::done : Executed::refused;
}

// Whether it is to be taken byte by byte: it goes on in another page, or crosses a device's registers.
[[nodiscard]] bool is_split(uint32_t address, unsigned size, const Place& place) {
    return !in_one_page(address, size) || (place.region == nullptr && (address & (size - 1)) != 0);
}

}  // namespace

uint32_t translate(uint32_t address, AccessKind kind, Ipa& ipa) {
    constexpr uint32_t failed = 1;
    const std::uint64_t guests = PAR::read();
    if (kind.privileged)
        kind.write ? ATS1CPW::write(address) : ATS1CPR::write(address);
    else
        kind.write ? ATS1CUW::write(address) : ATS1CUR::write(address);
    isb();
    const std::uint64_t result = PAR::read();
    PAR::write(guests);
    if ((result & failed) != 0) return static_cast<uint32_t>(result);
    ipa = Ipa{(result & 0xff'ffff'f000u) | (address & (page_size - 1))};
    return 0;
}

Executed read_element(Vcpu& vcpu, uint32_t address, unsigned size, bool privileged, uint32_t& value, ElementFault& fault) {
    const AccessKind kind{false, privileged};
    Place place;
    Executed found = locate(vcpu, address, size, kind, place, fault);
    if (found != Executed::done) return found;
    if (!is_split(address, size, place)) {
        value = read_at(vcpu, place, size);
        return found;
    }
    value = 0;
    for (unsigned n = 0; n < size && found == Executed::done; ++n) {
        found = locate(vcpu, address + n, 1, kind, place, fault);
        if (found == Executed::done) value |= read_at(vcpu, place, 1) << n * 8;
    }
    return found;
}

Executed write_element(Vcpu& vcpu, uint32_t address, unsigned size, bool privileged, uint32_t value, ElementFault& fault) {
    const AccessKind kind{true, privileged};
    Place place;
    Executed found = locate(vcpu, address, size, kind, place, fault);
    if (found != Executed::done) return found;
    if (!is_split(address, size, place)) {
        write_at(vcpu, place, size, value);
        return found;
    }
    for (unsigned n = 0; n < size && found == Executed::done; ++n) {
        found = locate(vcpu, address + n, 1, kind, place, fault);
        if (found == Executed::done) write_at(vcpu, place, 1, value >> n * 8 & 0xffu);
    }
    return found;
}

bool fetch(const Vcpu& vcpu, uint32_t address, unsigned size, bool privileged, uint32_t& value) {
    Ipa ipa;
    Place place;
    if (translate(address, {false, privileged}, ipa) != 0 || !in_one_page(address, size)) return false;
    if (!find(vcpu, ipa, PARTITA_REGION_EXECUTE, place) || place.region == nullptr) return false;
    value = 0;
    with_memory(vcpu, place, size, window::Slot::source, [&](const std::byte* memory) { std::memcpy(&value, memory, size); });
    return true;
}

void keep_stack(Vcpu& vcpu) {
    LastWords& last = vcpu.partition->last_words;
    const bool privileged = psr::Mode::get(read_spsr()) != psr::usr;
    last.sp = guest_register(vcpu, 13) & ~3u;
    last.words = 0;
    last.stack.fill(0);
    while (last.words < last.stack.size()) {  // twice at most: it may go on in another page
        const uint32_t at = last.sp + last.words * 4, in_page = (page_size - (at & (page_size - 1))) / 4;
        const uint32_t count = std::min(in_page, static_cast<uint32_t>(last.stack.size()) - last.words);
        Ipa ipa;
        Place place;
        if (translate(at, {false, privileged}, ipa) != 0 || !find(vcpu, ipa, PARTITA_REGION_READ, place) || place.region == nullptr) return;
        with_memory(vcpu, place, count * 4, window::Slot::source,
                    [&](const std::byte* memory) { std::memcpy(&last.stack[last.words], memory, count * 4); });
        last.words += count;
    }
}

}  // namespace partita
