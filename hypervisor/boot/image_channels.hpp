// The part of the image's check that is about channels.
#pragma once

#include "boot/image_check.hpp"

namespace partita {

// Each channel has one end that sends and, in other partitions, as many that receive as its kind allows; each end has an interrupt that
// nothing else in its partition has; all messages have room.
[[nodiscard]] std::expected<void, ImageError> check_channels(const ImageView& view);

}  // namespace partita
