// The parent partition's program on the host: its hypercalls are answered by a test, and its UART sends into a string.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "manager.hpp"
#include "page.hpp"
#include "partita/guest/guest.h"

namespace partita {

struct FakeParent {
    std::function<hypercall_result(std::uint32_t function, std::uint32_t a, std::uint32_t b, std::uint32_t c)> answer;
    std::array<std::uint8_t, parent::page_size> page{};
    std::string sent{}, printed{};
    std::uint64_t now = 0;  // of its counter
    std::vector<std::array<std::uint32_t, 4>> calls{};
};

// The one that calls and sends; set by a test.
extern FakeParent* fake_parent;

}  // namespace partita
