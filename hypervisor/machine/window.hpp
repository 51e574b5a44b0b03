// The only way to a partition's memory: two short-lived 2 MiB windows for each CPU.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arch/address.hpp"

namespace partita::window {

enum class Slot : std::uint32_t { target, source };

// Bytes at pa, up to the next 2 MiB boundary, until close() or the slot's next open(). Read-only for Slot::source.
[[nodiscard]] std::byte* open(std::uint32_t cpu, Slot slot, PhysAddr pa);
void close(std::uint32_t cpu, Slot slot);

// Cleans and invalidates to the point of coherency: what the caches-off guest, or its next owner, will see.
void scrub(std::byte* begin, std::size_t size);
void clean(const std::byte* begin, std::size_t size);

}  // namespace partita::window
