#include "window.hpp"

#include "layout.h"

namespace partita::secure {

using std::uint32_t;

namespace {

constexpr uint32_t page_size = 4096;
// Long-descriptor pages (ARM DDI 0406C B3.6.2): memory of the other world (NS), normal write-back, inner shareable, never executed.
constexpr std::uint64_t page = 0x727, read_only = 0x80, never_executed = 1ull << 54;
// Device memory of the secure world, and of the other one.
constexpr std::uint64_t device = 0x403, flash_page = 0x423;
constexpr uint32_t pages = 256;
uint32_t next_page = PARTITA_MONITOR_CPUS;

volatile std::uint64_t* window;

void set(uint32_t slot, std::uint64_t descriptor) {
    window[slot] = descriptor;
    asm volatile("dsb\n\tmcr p15, 0, %0, c8, c7, 1\n\tdsb\n\tisb" ::"r"(SECURE_WINDOW + slot * page_size) : "memory");  // TLBIMVA
}

}  // namespace

void set_window(uint32_t cpu, std::uint64_t* descriptors) {
    if (cpu == 0) window = descriptors;
}

bool is_normal_memory(uint32_t address, uint32_t size) {
    const uint32_t offset = address - board().ram;
    return offset < board().ram_size && size <= board().ram_size - offset;
}

volatile uint32_t* map_device(uint32_t address, uint32_t size) {
    const uint32_t count = size / page_size, first = next_page;
    if (count > pages - first) return nullptr;
    for (uint32_t n = 0; n < count; ++n) set(first + n, (address + n * page_size) | device | never_executed);
    next_page += count;
    return reinterpret_cast<volatile uint32_t*>(SECURE_WINDOW + first * page_size);
}

Window::Window(uint32_t address, Access access) : at_{SECURE_WINDOW + cpu_number() * page_size} {
    const std::uint64_t kind = access == Access::read_flash ? flash_page : page;
    set(cpu_number(), address | kind | never_executed | (access == Access::write ? 0 : read_only));
}

Window::~Window() { set(cpu_number(), 0); }

}  // namespace partita::secure
