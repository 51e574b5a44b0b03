// What outlives a reset, by names: values that partitions keep, and what the secure world itself remembers. In flash, where the board has
// some for it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "keys.hpp"
#include "log.hpp"

namespace partita::secure {

// Who keeps something: a partition's identity, or the secure world itself. It is for what a flash bears: each partition writes as often as
// this at once, and once a second.
inline constexpr std::uint32_t secure_world = 0, most_writes = 64;

// Before any of the others; without it nothing is kept. True: nothing was kept before.
[[nodiscard]] bool mount_storage(const volatile std::uint32_t* flash, std::uint32_t area_size);
[[nodiscard]] bool has_storage();

// How many bytes of `out` there are; none: nothing is kept by this name.
[[nodiscard]] std::optional<std::uint32_t> recall(const KeyName& name, std::span<std::uint8_t> out);
// Waits until it is in flash: PARTITA_TRUSTED_OK then, or why it is not. No bytes: nothing is kept by this name any more.
[[nodiscard]] int keep(std::uint32_t identity, const KeyName& name, Bytes value);
// Before interrupts come: it is in flash after the next settle_flash() (flash.hpp). False: there is no room.
[[nodiscard]] bool keep_at_boot(const KeyName& name, Bytes value);

// For whoever works on the flash.
[[nodiscard]] FlashCommand next_command();
bool command_is_done();  // true: something is in flash now
void storage_is_broken();
void tick_storage();  // each millisecond

}  // namespace partita::secure
