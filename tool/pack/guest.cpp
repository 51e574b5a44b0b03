#include "pack/guest.hpp"

#include <fmt/format.h>

#include <cstring>

#include "boot/image_contents.hpp"
#include "partita/system_image.h"

namespace partita::tool {

std::expected<Bytes, std::string> compile_guest(const PlannedPartition& partition, const std::vector<PlannedRegion>& regions) {
    if (partition.copies.size() > PARTITA_GUEST_COPIES || partition.patches.size() > PARTITA_GUEST_PATCHES)
        return std::unexpected(fmt::format("\"{}\" consists of {} parts; at run time there can be {}: link its image into fewer segments",
                                           partition.name, partition.copies.size(), PARTITA_GUEST_COPIES));
    partita_guest guest{};
    guest.magic = PARTITA_GUEST_MAGIC;
    guest.flags = partition.flags & PARTITA_GUEST_FLAGS;
    guest.entry = static_cast<std::uint32_t>(partition.entry);
    guest.r0 = static_cast<std::uint32_t>(partition.r0);
    guest.r1 = static_cast<std::uint32_t>(partition.r1);
    guest.r2 = static_cast<std::uint32_t>(partition.r2);
    std::memcpy(guest.name, partition.name.data(), std::min<std::size_t>(partition.name.size(), sizeof guest.name - 1));
    Bytes out(sizeof guest);
    for (const PlannedCopy& copy : partition.copies) {
        constexpr std::uint64_t word = 8;  // a copy by words, so that loading is quick
        out.resize((out.size() + word - 1) / word * word + copy.ipa % word);
        guest.copy[guest.copies++] = {out.size(), copy.ipa, copy.bytes.size()};
        out.insert(out.end(), copy.bytes.begin(), copy.bytes.end());
    }
    for (const PlannedPatch& patch : partition.patches)
        guest.patch[guest.patches++] = {patch.ipa, patch.size, patch.kind, patch.nop_before, patch.nop_size};
    guest.checksum = image_checksum(std::as_bytes(std::span{&guest, 1}));
    std::memcpy(out.data(), &guest, sizeof guest);
    std::vector<partita_region> into;
    for (const PlannedRegion& region : regions) into.push_back({region.ipa, region.pa, region.size, region.flags, region.channel});
    if (const auto good = check_guest(guest, static_cast<std::uint32_t>(out.size()), into); !good)
        return std::unexpected(fmt::format("the hypervisor would refuse \"{}\": {}", partition.name, describe(good.error())));
    return out;
}

}  // namespace partita::tool
