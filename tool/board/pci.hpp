// The functions on a board's PCI bus, as its device tree describes them (IEEE 1275 PCI bus binding).
#pragma once

#include <string>

#include "board/board.hpp"
#include "board/tree.hpp"

namespace partita::tool {

[[nodiscard]] bool is_pci_host(const Tree& tree, int node);

// The host bridge and its functions. What is wrong with the description, in a sentence; "" where nothing is.
[[nodiscard]] std::string read_functions(const Tree& tree, Board& board);

}  // namespace partita::tool
