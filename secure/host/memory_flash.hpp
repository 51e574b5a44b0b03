// Flash in memory: for the tool, which makes a board's flash, and for the tests.
#pragma once

#include <cstdint>
#include <vector>

#include "log.hpp"

namespace partita::secure {

// The two erase blocks of what is kept.
struct MemoryFlash {
    explicit MemoryFlash(std::uint32_t block_size) : block{block_size}, words(2 * block_size / 4, ~0u) {}
    void carry_out(const FlashCommand& command);

    std::uint32_t block;
    std::vector<std::uint32_t> words;
};

// What the functions of flash.hpp work on from now on; nullptr: there is none.
void use_flash(MemoryFlash* flash);

}  // namespace partita::secure
