#include "fake_parent.hpp"

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
