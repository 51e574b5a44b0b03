// The system in flash, which the other world may have written: nothing of it is trusted.
#pragma once

#include <cstdint>

#include "partita/flash.h"

namespace partita::secure {

// Flash by offsets, and the other world's memory by addresses; false: it is not that.
struct Copier {
    void* context;
    bool (*read)(void* context, std::uint32_t offset, void* to, std::uint32_t size);
    bool (*write)(void* context, std::uint32_t address, const void* from, std::uint32_t size);
};

// Copies its segments to where they say. A sentence: what is wrong with it.
[[nodiscard]] const char* load_system(const Copier& copier);

}  // namespace partita::secure
