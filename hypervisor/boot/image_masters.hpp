// The part of the image's check that is about devices which read and write memory by themselves.
#pragma once

#include "boot/image_check.hpp"

namespace partita {

// Each master has a stream of its own, and one that nobody else has; a function's registers are its partition's, and where the host
// bridge can reach them; one partition at most has interrupts as messages.
[[nodiscard]] std::expected<void, ImageError> check_masters(const ImageView& view);

}  // namespace partita
