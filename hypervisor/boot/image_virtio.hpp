// The part of check_image() that is about virtio devices and their servers.
#pragma once

#include "boot/image_check.hpp"

namespace partita {

// Whether that partition serves a virtio device of this one.
[[nodiscard]] bool is_served(const ImageView& view, std::size_t partition, std::size_t server);

// Whether the one is the other's owner's memory, as a server has it.
[[nodiscard]] bool same_served(const partita_region& one, const partita_region& other);

// After slices were checked.
[[nodiscard]] std::expected<void, ImageError> check_virtio(const ImageView& view);

}  // namespace partita
