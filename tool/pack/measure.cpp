#include "pack/measure.hpp"

#include <bearssl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

namespace partita::tool {

namespace {

// A segment's memory: what its bytes do not fill is zero, and so is what lies between segments.
bool read_image(void* context, std::uint64_t at, void* to, std::uint32_t size) {
    const auto& image = *static_cast<const SystemImage*>(context);
    auto* const out = static_cast<std::uint8_t*>(to);
    std::fill_n(out, size, std::uint8_t{0});
    for (const Segment& segment : image.segments) {
        const std::uint64_t begin = std::max(at, segment.address);
        const std::uint64_t end = std::min(at + size, segment.address + segment.bytes.size());
        if (begin < end)
            std::copy_n(segment.bytes.begin() + static_cast<std::ptrdiff_t>(begin - segment.address), end - begin, out + (begin - at));
    }
    return true;
}

void append(void* context, const void* bytes, std::size_t size) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(bytes), size);
}

// The first object of these names in a PEM file; empty: none.
[[nodiscard]] std::string decode_pem(const std::string& text) {
    br_pem_decoder_context decoder;
    br_pem_decoder_init(&decoder);
    std::string out;
    bool wanted = false;
    for (std::size_t at = 0; at < text.size();) {
        at += br_pem_decoder_push(&decoder, text.data() + at, text.size() - at);
        switch (br_pem_decoder_event(&decoder)) {
            case BR_PEM_BEGIN_OBJ:
                wanted = std::string{br_pem_decoder_name(&decoder)}.ends_with("PRIVATE KEY");
                out.clear();
                br_pem_decoder_setdest(&decoder, wanted ? append : nullptr, &out);
                break;
            case BR_PEM_END_OBJ:
                if (wanted) return out;
                break;
            case BR_PEM_ERROR: return {};
            default: break;
        }
    }
    return {};
}

}  // namespace

std::expected<secure::Measured, std::string> measure(const SystemImage& image, std::uint64_t hypervisor_base) {
    SystemImage copy = image;
    const secure::Memory memory{&copy, read_image};
    secure::Measured out;
    secure::measure(memory, hypervisor_base, out);
    if (out.wrong != nullptr) return std::unexpected(fmt::format("the image cannot be measured: {}", out.wrong));
    return out;
}

std::expected<SigningKey, std::string> SigningKey::read(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in || std::filesystem::is_directory(file))
        return std::unexpected(fmt::format("{} cannot be read; make a key with `partita key {}`", file.string(), file.string()));
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    text += '\n';  // an end of line that an editor left out
    const std::string der = decode_pem(text);
    br_skey_decoder_context decoder;
    br_skey_decoder_init(&decoder);
    br_skey_decoder_push(&decoder, der.data(), der.size());
    const br_ec_private_key* const key = br_skey_decoder_get_ec(&decoder);
    SigningKey out;
    if (der.empty() || br_skey_decoder_last_error(&decoder) != 0 || key == nullptr || key->curve != BR_EC_secp256r1 ||
        key->xlen > out.secret_.size())
        return std::unexpected(
            fmt::format("{} holds no private key on the curve P-256 as PEM, not encrypted; make one with `partita key FILE`, or with "
                        "openssl ecparam -name prime256v1 -genkey -noout",
                        file.string()));
    std::copy_n(key->x, key->xlen, out.secret_.end() - static_cast<std::ptrdiff_t>(key->xlen));
    return out;
}

std::expected<std::string, std::string> SigningKey::make() {
    br_hmac_drbg_context generator;
    br_hmac_drbg_init(&generator, &br_sha256_vtable, nullptr, 0);
    const br_prng_seeder seeder = br_prng_seeder_system(nullptr);
    if (seeder == nullptr || seeder(&generator.vtable) == 0) return std::unexpected("this machine has no source of random numbers");
    br_ec_private_key key;
    std::array<unsigned char, BR_EC_KBUF_PRIV_MAX_SIZE> bytes;
    if (br_ec_keygen(&generator.vtable, br_ec_get_default(), &key, bytes.data(), BR_EC_secp256r1) == 0)
        return std::unexpected("no key could be made");
    std::string der(br_encode_ec_pkcs8_der(nullptr, &key, nullptr), '\0');
    br_encode_ec_pkcs8_der(der.data(), &key, nullptr);
    std::string pem(br_pem_encode(nullptr, nullptr, der.size(), "PRIVATE KEY", BR_PEM_LINE64) + 1, '\0');
    br_pem_encode(pem.data(), der.data(), der.size(), "PRIVATE KEY", BR_PEM_LINE64);
    pem.pop_back();
    return pem;
}

SigningKey::PublicKey SigningKey::public_key() const {
    std::array<std::uint8_t, 32> secret = secret_;
    const br_ec_private_key key{BR_EC_secp256r1, secret.data(), secret.size()};
    br_ec_public_key found;
    std::array<unsigned char, BR_EC_KBUF_PUB_MAX_SIZE> bytes;
    br_ec_compute_pub(br_ec_get_default(), &found, bytes.data(), &key);
    PublicKey out;
    std::copy_n(found.q, out.size(), out.begin());
    return out;
}

std::array<std::uint8_t, PARTITA_SIGNATURE_SIZE> SigningKey::sign(const std::array<std::uint8_t, PARTITA_HASH_SIZE>& hash) const {
    std::array<std::uint8_t, 32> secret = secret_;
    const br_ec_private_key key{BR_EC_secp256r1, secret.data(), secret.size()};
    std::array<std::uint8_t, PARTITA_SIGNATURE_SIZE> out;
    br_ecdsa_i31_sign_raw(br_ec_get_default(), &br_sha256_vtable, hash.data(), &key, out.data());
    return out;
}

}  // namespace partita::tool
