// What a board's secure world has, where its CPUs begin in it and no firmware is.
#pragma once

#include <string>

#include "board/board.hpp"
#include "config/toml.hpp"

namespace partita::tool {

// The [monitor] section of board.toml, if there is one. The error is a sentence; empty: there is none.
[[nodiscard]] std::string read_monitor(const toml::table& table, Board& board);

}  // namespace partita::tool
