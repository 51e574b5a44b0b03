// What a program says that it can serve (guest/include/partita/guest/serves.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

namespace partita::tool {

// The kinds of virtio devices, and how many of each.
using Serves = std::map<std::string, std::uint32_t>;

// Of any bytes: none, where they are no ELF file that says it.
[[nodiscard]] std::optional<Serves> read_serves(std::span<const std::uint8_t> bytes);

}  // namespace partita::tool
