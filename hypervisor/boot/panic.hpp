// A bug of the hypervisor's own, or an image it cannot run: said on the UART in words, and everything stops.
#pragma once

#include <cstdint>
#include <string_view>

namespace partita {

[[noreturn]] void panic(std::string_view what, std::uint32_t detail = 0);

}  // namespace partita
