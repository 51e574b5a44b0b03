// Memory of channels: what each end may write, where each sees it, and where it lies on the board.
#pragma once

#include <functional>

#include "plan/plan.hpp"

namespace partita::tool {

using Complain = std::function<void(const Place&, const std::string&)>;

// Fills in the channel's parts, or complains; of another kind, about what is only for memory.
void check_channel_memory(const ChannelDescription& description, PlannedChannel& channel, const Complain& complain);

// Where `size` bytes are free in the partition's address space, from that address on: the begin of a 2 MiB block.
[[nodiscard]] std::optional<std::uint64_t> free_address(const PlannedPartition& partition, std::uint64_t size, std::uint64_t from);

// Gives both ends' ports the addresses at which they see the parts: behind what the platform and the board's devices have.
void place_channel_memory(Plan& plan, std::size_t channel, const Place& place, Diagnostics& diagnostics);

// The end's right to a part, as PARTITA_REGION_*, and what the device tree calls it.
[[nodiscard]] std::uint32_t rights_to_part(std::size_t part, bool sends);
[[nodiscard]] const char* name_of_part(std::size_t part, bool sends);

}  // namespace partita::tool
