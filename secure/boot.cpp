#include "boot.hpp"

#include "keys.hpp"

namespace partita::secure {

const char* check_image(const Memory& memory, std::uint64_t hypervisor, const std::uint8_t* key, Boot& out) {
    measure(memory, hypervisor, out.measured);
    if (out.measured.wrong != nullptr) return out.measured.wrong;
    partita_image_signature signature;
    const bool has_one = memory.read(memory.context, out.measured.signature_at, &signature, sizeof signature) &&
                         signature.magic == PARTITA_IMAGE_SIGNATURE_MAGIC;
    if (key == nullptr) return nullptr;
    if (!has_one) return "the image is not signed";
    if (!is_signed(std::span<const std::uint8_t, public_key_size>{key, public_key_size}, signed_hash(signature.version, out.measured),
                   signature.signature))
        return "the image's signature is wrong: it was changed, or somebody else signed it";
    out.version = signature.version;
    out.verified = out.version >= out.oldest;
    return out.verified ? nullptr : "the image is older than one that this board has started before";
}

}  // namespace partita::secure
