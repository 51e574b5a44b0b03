// How QEMU is started for a board.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "board/board.hpp"

namespace partita::tool {

struct QemuOptions {
    bool deterministic = false;  // time is counted in instructions, on one thread
    std::vector<std::string> more;
};

[[nodiscard]] std::vector<std::string> qemu_command(const Board& board, const std::filesystem::path& image, const QemuOptions& options);

}  // namespace partita::tool
