#include "fake_parent.hpp"

#include <cstdarg>
#include <cstdio>

namespace partita {

FakeParent* fake_parent = nullptr;

namespace parent {

std::uint8_t* message_page() { return fake_parent->page.data(); }
void Uart::put(std::uint8_t byte) { fake_parent->sent += static_cast<char>(byte); }

}  // namespace parent

}  // namespace partita

hypercall_result hypercall(std::uint32_t function, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    partita::fake_parent->calls.push_back({function, a, b, c});
    return partita::fake_parent->answer(function, a, b, c);
}

std::uint32_t life_number() { return 3; }
std::uint64_t timer_now() { return partita::fake_parent->now; }

void console_printf(const char* format, ...) {
    std::array<char, 256> line{};
    va_list arguments;
    va_start(arguments, format);
    (void)std::vsnprintf(line.data(), line.size(), format, arguments);
    va_end(arguments);
    partita::fake_parent->printed += line.data();
}
