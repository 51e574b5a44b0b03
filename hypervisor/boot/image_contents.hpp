// What a partition's memory is filled with, and where it begins: the same checks for a system's image and for what is given to a partition
// at run time.
#pragma once

#include <expected>
#include <span>

#include "boot/image_check.hpp"

namespace partita {

// `regions`: all of the partition.
[[nodiscard]] std::expected<void, ImageFault> check_copies(std::span<const partita_region> regions, std::span<const partita_copy> copies);
[[nodiscard]] std::expected<void, ImageFault> check_patches(std::span<const partita_region> regions,
                                                            std::span<const partita_patch> patches);
[[nodiscard]] std::expected<void, ImageFault> check_entry(std::span<const partita_region> regions, std::uint32_t entry);

// Whether it has an end, and nothing that would be another line of the log, or a command to a terminal: letters, digits, - and _.
[[nodiscard]] bool is_good_name(std::span<const char, PARTITA_NAME_SIZE> name);

// A record, and `size` bytes of it and what its copies take. Total: any record is good or gives a fault.
[[nodiscard]] std::expected<void, ImageFault> check_guest(const partita_guest& guest, std::uint32_t size,
                                                          std::span<const partita_region> regions);

}  // namespace partita
