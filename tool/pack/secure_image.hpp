// The secure partition's program as bytes that the monitor copies.
#pragma once

#include <expected>
#include <string>

#include "image/kernel.hpp"

namespace partita::tool {

// An ELF file's segments from the first one's address on, gaps filled with zeros.
[[nodiscard]] Bytes flatten(const std::vector<Segment>& segments);

// Of an ELF file: as it is loaded. The error is a sentence.
[[nodiscard]] std::expected<Bytes, std::string> secure_image(std::span<const std::uint8_t> file);

}  // namespace partita::tool
