// Finds one property in the firmware's flattened device tree (Devicetree Specification 0.4, chapter 5): the boot entropy.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace partita {

// The value of `property` of the root's child `node`; empty when there is none, or the tree is damaged. Total.
[[nodiscard]] std::span<const std::byte> find_property(std::span<const std::byte> tree, std::string_view node, std::string_view property);

}  // namespace partita
