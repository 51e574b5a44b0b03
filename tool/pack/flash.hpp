// A board's flash: what the CPUs find after reset, what outlives it, and the system.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "pack/pack.hpp"

namespace partita::tool {

struct FlashFiles {
    std::filesystem::path secure, system;
};
[[nodiscard]] FlashFiles flash_files(const std::filesystem::path& folder);

// Writes an image that was packed for flash to the two files of a folder. What the secure world keeps stays as it is; where there is no
// file yet, it begins with a seed of random numbers. The error is a sentence.
[[nodiscard]] std::expected<FlashFiles, std::string> write_flash(const Board& board, const SystemImage& image,
                                                                 const std::filesystem::path& folder);

// The image of the flash that the system is started from; the error is a sentence.
[[nodiscard]] std::expected<Bytes, std::string> system_flash(const Board& board, const SystemImage& image);

}  // namespace partita::tool
