// The part of the image's check that is about channels.
#pragma once

#include "boot/image_check.hpp"

namespace partita {

// Whether both regions are one part of a channel's memory, as its two ends see it. That they are of two ends is check_channels()'s.
[[nodiscard]] bool same_memory(const partita_region& one, const partita_region& other);

// Each channel has one end that sends and, in other partitions, as many that receive as its kind allows; each end has an interrupt that
// nothing else in its partition has; all messages have room. Memory of a channel is a region of both ends, with the same attributes, never
// executable, and of nobody else.
[[nodiscard]] std::expected<void, ImageError> check_channels(const ImageView& view);

}  // namespace partita
