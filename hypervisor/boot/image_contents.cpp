#include "boot/image_contents.hpp"

#include "arch/address.hpp"

namespace partita {

using std::uint32_t;

namespace {

using Check = std::expected<void, ImageFault>;

[[nodiscard]] bool inside_memory(std::span<const partita_region> regions, std::uint64_t ipa, std::uint64_t size) {
    constexpr uint32_t no_image = PARTITA_REGION_DEVICE | PARTITA_REGION_CHANNEL | PARTITA_REGION_SERVED | PARTITA_REGION_KEPT;
    if (!IpaRange::make(Ipa{ipa}, size)) return false;
    for (const partita_region& region : regions)
        if ((region.flags & no_image) == 0 && IpaRange{Ipa{region.ipa}, region.size}.contains(IpaRange{Ipa{ipa}, size})) return true;
    return false;
}

[[nodiscard]] bool good_patch(std::span<const partita_region> regions, const partita_patch& patch) {
    if (patch.nop_before > patch.ipa || patch.nop_size % 4 != 0) return false;
    if (patch.size > PARTITA_LONGEST_PATCH || patch.nop_size > PARTITA_LONGEST_PATCHED) return false;
    if (patch.kind < PARTITA_PATCH_RANDOM || patch.kind > PARTITA_PATCH_STARTS) return false;
    if (patch.kind != PARTITA_PATCH_RANDOM && (patch.size != 4 || patch.ipa % 4 != 0)) return false;
    return inside_memory(regions, patch.ipa, patch.size) && inside_memory(regions, patch.ipa - patch.nop_before, patch.nop_size);
}

}  // namespace

bool is_good_name(std::span<const char, PARTITA_NAME_SIZE> name) {
    for (const char& c : name) {
        if (c == 0) return &c != name.data();
        const bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
        if (!good) return false;
    }
    return false;
}

Check check_copies(std::span<const partita_region> regions, std::span<const partita_copy> copies) {
    for (const partita_copy& copy : copies) {
        // By words: a step of loading is bounded by that.
        if ((copy.source - copy.ipa) % 8 != 0) return std::unexpected(ImageFault::misaligned);
        if (!inside_memory(regions, copy.ipa, copy.size) || !PhysRange::make(PhysAddr{copy.source}, copy.size))
            return std::unexpected(ImageFault::outside_region);
    }
    return {};
}

Check check_patches(std::span<const partita_region> regions, std::span<const partita_patch> patches) {
    for (const partita_patch& patch : patches)
        if (!good_patch(regions, patch)) return std::unexpected(ImageFault::outside_region);
    return {};
}

Check check_entry(std::span<const partita_region> regions, uint32_t entry) {
    return inside_memory(regions, entry & ~1u, 4) ? Check{} : std::unexpected(ImageFault::outside_region);
}

Check check_guest(const partita_guest& guest, uint32_t size, std::span<const partita_region> regions) {
    if (size < sizeof guest) return std::unexpected(ImageFault::too_short);
    if (guest.magic != PARTITA_GUEST_MAGIC) return std::unexpected(ImageFault::not_an_image);
    if (image_checksum(std::as_bytes(std::span{&guest, 1})) != 0) return std::unexpected(ImageFault::checksum);
    if (!is_good_name(guest.name)) return std::unexpected(ImageFault::bad_name);
    if (guest.copies > PARTITA_GUEST_COPIES || guest.patches > PARTITA_GUEST_PATCHES) return std::unexpected(ImageFault::too_many);
    if ((guest.flags & ~PARTITA_GUEST_FLAGS) != 0) return std::unexpected(ImageFault::bad_reference);
    const auto copies = std::span{guest.copy}.first(guest.copies);
    for (const partita_copy& copy : copies)
        if (copy.source > size || copy.size > size - copy.source) return std::unexpected(ImageFault::table_outside);
    if (const Check bad = check_copies(regions, copies); !bad) return bad;
    if (const Check bad = check_patches(regions, std::span{guest.patch}.first(guest.patches)); !bad) return bad;
    return check_entry(regions, guest.entry);
}

}  // namespace partita
