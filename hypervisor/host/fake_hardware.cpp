// What lies below the hypervisor's logic, on the host: firmware, windows and banked registers that tests can look at.
#include "fake_hardware.hpp"

#include <cstring>

#include "boot/panic.hpp"
#include "machine/firmware.hpp"
#include "machine/guard.hpp"
#include "machine/window.hpp"
#include "partition/world_switch.hpp"

namespace partita {

FakeHardware fake_hardware;

void panic(std::string_view what, std::uint32_t) { throw Panic{std::string{what}}; }

namespace firmware {
std::int32_t cpu_on(std::uint32_t, PhysAddr, std::uint32_t) { return 0; }
void system_off() { throw SystemOff{}; }
void secure_call(Registers& registers, std::uint32_t identity) { fake_hardware.secure_calls(registers, identity); }
}  // namespace firmware

namespace window {
std::byte* open(std::uint32_t, Slot, PhysAddr pa) { return fake_hardware.memory(pa.value); }
void close(std::uint32_t, Slot) {}
void scrub(std::byte* begin, std::size_t size) {
    std::memset(begin, 0, size);
    clean(begin, size);
}
void clean(const std::byte* begin, std::size_t size) { fake_hardware.cleaned.emplace_back(begin, size); }
}  // namespace window

std::byte* behind_guards(PhysAddr, std::size_t each, std::size_t count) {
    fake_hardware.guarded.assign((each + kPageSize) * count + kPageSize, std::byte{0});
    const auto begin = reinterpret_cast<std::uintptr_t>(fake_hardware.guarded.data());
    return fake_hardware.guarded.data() + (kPageSize - begin % kPageSize) % kPageSize;
}

std::byte* FakeHardware::memory(std::uint64_t pa) {
    auto& block = blocks[pa / kBlockSize];
    if (block.empty()) block.assign(kBlockSize, std::byte{0xa5});
    return block.data() + pa % kBlockSize;
}

}  // namespace partita

extern "C" {
#define PARTITA_SAVE_PAIR(first, second, name, opc1, crm, free) out->name = partita::Cp15Long<opc1, crm>::read();
#define PARTITA_LOAD_PAIR(first, second, name, opc1, crm, free) partita::Cp15Long<opc1, crm>::write(in->name);
#define PARTITA_SAVE(n, name, opc1, crn, crm, opc2, free) out->name = partita::Cp15<opc1, crn, crm, opc2>::read();
#define PARTITA_LOAD(n, name, opc1, crn, crm, opc2, free) partita::Cp15<opc1, crn, crm, opc2>::write(in->name);
void save_system(partita::SystemRegisters* out) {
    PARTITA_SYSTEM_PAIRS(PARTITA_SAVE_PAIR)
    PARTITA_SYSTEM_WORDS(PARTITA_SAVE)
}
void load_system(const partita::SystemRegisters* in) {
    PARTITA_SYSTEM_PAIRS(PARTITA_LOAD_PAIR)
    PARTITA_SYSTEM_WORDS(PARTITA_LOAD)
}
void save_banked(partita::BankedRegisters* out) { *out = partita::fake_hardware.banked; }
void load_banked(const partita::BankedRegisters* in) { partita::fake_hardware.banked = *in; }
void save_vfp(partita::VfpRegisters* out) {
    out->d = partita::fake_hardware.vfp.d;
    out->fpscr = partita::fake_hardware.vfp.fpscr;
}
void load_vfp(const partita::VfpRegisters* in) {
    partita::fake_hardware.vfp.d = in->d;
    partita::fake_hardware.vfp.fpscr = in->fpscr;
}
bool drain_aborts() { return std::exchange(partita::fake_hardware.abort_pending, false); }
std::uint32_t read_fpexc() { return partita::fake_hardware.vfp.fpexc; }
void write_fpexc(std::uint32_t value) { partita::fake_hardware.vfp.fpexc = value; }
}
