// How QEMU is started for a board.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "board/board.hpp"
#include "pack/flash.hpp"

namespace partita::tool {

struct QemuOptions {
    bool deterministic = false;  // time is counted in instructions, on one thread
    std::vector<std::string> more;
};

// image: what the board starts, like {"-kernel", "system.elf"}.
[[nodiscard]] std::vector<std::string> qemu_command(const Board& board, const std::vector<std::string>& image, const QemuOptions& options);

[[nodiscard]] std::vector<std::string> image_argument(const std::filesystem::path& elf);
// `folder`: of this run.
[[nodiscard]] std::vector<std::string> image_argument(const FlashFiles& files, const std::filesystem::path& folder);
// What QEMU complains of, without what is as it should be.
[[nodiscard]] std::string complaints_in(const std::string& errors);

}  // namespace partita::tool
