#include "system.hpp"

#include <algorithm>
#include <cstring>

#include "console.hpp"
#include "kernel.hpp"
#include "partita/guest/guest.h"
#include "window.hpp"

namespace partita::secure {

using std::uint32_t;

namespace {

Boot booted;

[[nodiscard]] bool read_normal_memory(void*, std::uint64_t at, void* to, uint32_t size) {
    constexpr uint32_t page_size = 4096;
    auto* out = static_cast<std::byte*>(to);
    if (at >> 32 != 0 || !is_normal_memory(static_cast<uint32_t>(at), size)) return false;
    while (size != 0) {
        const auto address = static_cast<uint32_t>(at), offset = address % page_size;
        const uint32_t part = std::min(size, page_size - offset);
        const Window page{address - offset, Window::Access::read};
        std::memcpy(out, page.data() + offset, part);
        at += part, out += part, size -= part;
    }
    return true;
}

}  // namespace

const Boot& booted_system() { return booted; }

bool check_system() {
    const Memory memory{nullptr, read_normal_memory};
    const char* const wrong = check_image(memory, board().entry, program().has_key != 0 ? program().key : nullptr, booted);
    if (wrong != nullptr) {
        write_at_once();
        console_printf("secure: the system is not started: %s\n", wrong);
        return false;
    }
    console_printf("secure: system ");
    for (const std::uint8_t byte : booted.measured.system) console_printf("%02x", static_cast<unsigned>(byte));
    console_printf(booted.verified ? ", signed, version %u\n" : ", not checked\n", static_cast<unsigned>(booted.version));
    return true;
}

}  // namespace partita::secure
