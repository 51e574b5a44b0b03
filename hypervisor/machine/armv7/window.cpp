#include "machine/window.hpp"

#include "arch/registers.hpp"
#include "barrier.hpp"
#include "hyp_map.hpp"
#include "machine/layout.hpp"

namespace partita::window {

namespace {
constexpr std::size_t cache_line = 32;  // the smallest of Cortex-A7 (64 D, 32 I), A15 and A17: cleaning a line twice is harmless

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

void clean(const std::byte* begin, std::size_t size) {
    auto line = reinterpret_cast<std::uintptr_t>(begin) & ~(cache_line - 1);
    const std::uintptr_t lines = (reinterpret_cast<std::uintptr_t>(begin) + size - line + cache_line - 1) / cache_line;
    for (std::uintptr_t n = 0; n < lines; ++n, line += cache_line) DCCIMVAC::write(static_cast<std::uint32_t>(line));
    dsb();
}

}  // namespace partita::window
