// Hyp's own translation (stage 1). boot.S maps the image; the rest is mapped here, page by page, as it becomes known.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arch/address.hpp"

namespace partita::hyp_map {

enum class Kind : std::uint32_t { read_only, read_write, device };

// Maps size bytes of the hypervisor's own 2 MiB (description, pool) behind the image.
void map_own(std::uint64_t offset, PhysAddr pa, std::uint64_t size, Kind kind);
// Maps a device page at one of layout's addresses.
void map_device(std::uintptr_t va, PhysAddr pa);
// Maps (or with nothing, unmaps) the 2 MiB block of a window.
void map_window(std::uintptr_t va, PhysAddr pa, Kind kind);
void unmap_window(std::uintptr_t va);
// Takes boot's identity mapping of the image at `base` away, once every CPU runs at Hyp's addresses.
void forget_identity(PhysAddr base);

}  // namespace partita::hyp_map
