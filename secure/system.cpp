#include "system.hpp"

#include <algorithm>
#include <cstring>

#include "console.hpp"
#include "kernel.hpp"
#include "loader.hpp"
#include "partita/guest/guest.h"
#include "state.hpp"
#include "window.hpp"

namespace partita::secure {

using std::uint32_t;

namespace {

constexpr uint32_t page_size = 4096;
Boot booted;

// Through a window, page by page: part(data, offset in `size`, size of the part).
template <typename Part>
void each_page(uint32_t at, uint32_t size, Window::Access access, Part part) {
    for (uint32_t done = 0; done != size;) {
        const uint32_t offset = (at + done) % page_size, bytes = std::min(size - done, page_size - offset);
        const Window page{at + done - offset, access};
        part(page.data() + offset, done, bytes);
        done += bytes;
    }
}

[[nodiscard]] bool read_normal_memory(void*, std::uint64_t at, void* to, uint32_t size) {
    if (at >> 32 != 0 || !is_normal_memory(static_cast<uint32_t>(at), size)) return false;
    each_page(static_cast<uint32_t>(at), size, Window::Access::read,
              [to](const std::byte* data, uint32_t done, uint32_t bytes) { std::memcpy(static_cast<std::byte*>(to) + done, data, bytes); });
    return true;
}

// The hypervisor begins without caches: what they have goes to memory.
void clean(const std::byte* data, uint32_t size) {
    uint32_t type;
    asm("mrc p15, 0, %0, c0, c0, 1" : "=r"(type));  // CTR
    const uint32_t line = 4u << (type >> 16 & 0xf), begin = reinterpret_cast<uint32_t>(data), end = begin + size;
    for (uint32_t at = begin & ~(line - 1); at < end; at += line)
        asm volatile("mcr p15, 0, %0, c7, c10, 1" ::"r"(at) : "memory");  // DCCMVAC
    asm volatile("dsb" ::: "memory");
}

[[nodiscard]] bool write_normal_memory(void*, uint32_t at, const void* from, uint32_t size) {
    if (!is_normal_memory(at, size)) return false;
    each_page(at, size, Window::Access::write, [from](std::byte* data, uint32_t done, uint32_t bytes) {
        std::memcpy(data, static_cast<const std::byte*>(from) + done, bytes);
        clean(data, bytes);
    });
    return true;
}

[[nodiscard]] bool read_flash(void*, uint32_t at, void* to, uint32_t size) {
    if (at > board().system_size || size > board().system_size - at) return false;
    each_page(board().system_at + at, size, Window::Access::read_flash,
              [to](const std::byte* data, uint32_t done, uint32_t bytes) { std::memcpy(static_cast<std::byte*>(to) + done, data, bytes); });
    return true;
}

// A sentence: why the system must not begin.
[[nodiscard]] const char* take_and_check() {
    if (board().system_size != 0)
        if (const char* const wrong = load_system({nullptr, read_flash, write_normal_memory}); wrong != nullptr) return wrong;
    booted.oldest = oldest_version();
    const char* const wrong =
        check_image({nullptr, read_normal_memory}, board().entry, program().has_key != 0 ? program().key : nullptr, booted);
    if (wrong != nullptr) return wrong;
    return !booted.verified || booted.version == booted.oldest || remember_version(booted.version) ? nullptr : "its version cannot be kept";
}

}  // namespace

const Boot& booted_system() { return booted; }

bool check_system() {
    const char* const wrong = take_and_check();
    if (wrong != nullptr) {
        write_at_once();
        console_printf("secure: the system is not started: %s\n", wrong);
        if (booted.version < booted.oldest)
            console_printf("secure: its version is %u, the oldest that is started %u\n", static_cast<unsigned>(booted.version),
                           static_cast<unsigned>(booted.oldest));
        return false;
    }
    console_printf("secure: system ");
    for (const std::uint8_t byte : booted.measured.system) console_printf("%02x", static_cast<unsigned>(byte));
    console_printf(booted.verified ? ", signed, version %u\n" : ", not checked\n", static_cast<unsigned>(booted.version));
    return true;
}

}  // namespace partita::secure
