#include "machine/window.hpp"

#include <cstring>

#include "arch/registers.hpp"
#include "barrier.hpp"
#include "hyp_map.hpp"
#include "machine/layout.hpp"

extern "C" void zero_lines(std::byte* end, std::size_t size);

namespace partita::window {

namespace {
// The smallest data cache line of this CPU, in bytes (CTR.DminLine; DDI 0406C B4.1.42).
[[nodiscard]] std::size_t cache_line() { return std::size_t{4} << (CTR::read() >> 16 & 15u); }

[[nodiscard]] std::uintptr_t address(std::uint32_t cpu, Slot slot) {
    return layout::windows + (cpu * 2 + static_cast<std::uint32_t>(slot)) * layout::window_size;
}
}  // namespace

std::byte* open(std::uint32_t cpu, Slot slot, PhysAddr pa) {
    const std::uintptr_t va = address(cpu, slot);
    const auto kind = slot == Slot::source ? hyp_map::Kind::read_only : hyp_map::Kind::read_write;
    hyp_map::map_window(va, PhysAddr{pa.value & ~(kBlockSize - 1)}, kind);
    return reinterpret_cast<std::byte*>(va + static_cast<std::uintptr_t>(pa.value % kBlockSize));
}

void close(std::uint32_t cpu, Slot slot) { hyp_map::unmap_window(address(cpu, slot)); }

void scrub(std::byte* begin, std::size_t size) {
    constexpr std::size_t line = 64, step = 256;
    const bool whole = ((reinterpret_cast<std::uintptr_t>(begin) | size) & (step - 1)) == 0;
    if (whole && size != 0 && cache_line() == line) return zero_lines(begin + size, size);
    std::memset(begin, 0, size);
    clean(begin, size);
}

void clean(const std::byte* begin, std::size_t size) {
    const std::size_t step = cache_line();
    auto line = reinterpret_cast<std::uintptr_t>(begin) & ~(step - 1);
    const std::uintptr_t lines = (reinterpret_cast<std::uintptr_t>(begin) + size - line + step - 1) / step;
    for (std::uintptr_t n = 0; n < lines; ++n, line += step) DCCIMVAC::write(static_cast<std::uint32_t>(line));
    dsb();
}

}  // namespace partita::window
