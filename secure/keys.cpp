#include "keys.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace partita::secure {

namespace {

Hash device_key, random_key;
std::atomic<std::uint32_t> generators;  // that were made

struct PrivateKey {
    std::array<unsigned char, BR_EC_KBUF_PRIV_MAX_SIZE> bytes;
    br_ec_private_key key;
};

// The same seed makes the same key.
void make_private_key(const Hash& seed, PrivateKey& out) {
    br_hmac_drbg_context generator;
    br_hmac_drbg_init(&generator, &br_sha256_vtable, seed.data(), seed.size());
    br_ec_keygen(&generator.vtable, &br_ec_p256_m31, &out.key, out.bytes.data(), BR_EC_secp256r1);
}

class Hmac {
public:
    explicit Hmac(const Hash& key) {
        br_hmac_key_context keyed;
        br_hmac_key_init(&keyed, &br_sha256_vtable, key.data(), key.size());
        br_hmac_init(&context_, &keyed, 0);
    }
    void add(Bytes part) { br_hmac_update(&context_, part.data(), part.size()); }
    // So that parts cannot be taken for others of the same bytes.
    void add_with_size(Bytes part) {
        const auto size = static_cast<std::uint32_t>(part.size());
        br_hmac_update(&context_, &size, sizeof size);
        add(part);
    }
    [[nodiscard]] Hash take() const {
        Hash out;
        br_hmac_out(&context_, out.data());
        return out;
    }

private:
    br_hmac_context context_;
};

Hash derive(const Hash& key, const KeyName& name) {
    Hmac out{key};
    out.add_with_size({reinterpret_cast<const std::uint8_t*>(name.use), std::strlen(name.use)});
    out.add_with_size(name.owner);
    out.add_with_size(name.label);
    return out.take();
}

// AES-256-GCM, ready for the text.
struct Gcm {
    br_aes_ct_ctr_keys cipher;
    br_gcm_context context;

    Gcm(const Hash& key, const std::uint8_t* nonce) {
        br_aes_ct_ctr_init(&cipher, key.data(), key.size());
        br_gcm_init(&context, &cipher.vtable, br_ghash_ctmul32);
        br_gcm_reset(&context, nonce, nonce_size);
        br_gcm_flip(&context);
    }
    Gcm(const Gcm&) = delete;  // the one points to the other
    Gcm& operator=(const Gcm&) = delete;
};

}  // namespace

// How long the same work takes, over and over: that differs by what memory, caches and other CPUs are at.
void gather_entropy() {
    constexpr unsigned samples = 256;
    br_sha256_context context;
    br_sha256_init(&context);
    Hash state{};
    for (unsigned n = 0; n < samples; ++n) {
        const std::uint64_t now = clock_sample();
        br_sha256_update(&context, &now, sizeof now);
        br_sha256_out(&context, state.data());
    }
    random_key = state;
    Random{}.fill(device_key);
}

void add_entropy(const Hash& more) { random_key = hmac(random_key, more); }
void use_device_key(const Hash& key) { device_key = key; }

Random::Random() {
    struct {
        std::uint32_t number;
        std::uint32_t reserved;
        std::uint64_t now;
    } const which{generators.fetch_add(1, std::memory_order_relaxed), 0, clock_sample()};
    const Hash seed = hmac(random_key, {reinterpret_cast<const std::uint8_t*>(&which), sizeof which});
    br_hmac_drbg_init(&context_, &br_sha256_vtable, seed.data(), seed.size());
}

void Random::fill(std::span<std::uint8_t> out) { br_hmac_drbg_generate(&context_, out.data(), out.size()); }

Hash hash(Bytes data) {
    Hash out;
    br_sha256_context context;
    br_sha256_init(&context);
    br_sha256_update(&context, data.data(), data.size());
    br_sha256_out(&context, out.data());
    return out;
}

Hash hmac(const Hash& key, Bytes data) {
    Hmac out{key};
    out.add(data);
    return out.take();
}

Hash derive(const KeyName& name) { return derive(device_key, name); }
Hash name_hash(const KeyName& name) { return derive(Hash{}, name); }
void seal(const Hash& key, Bytes text, std::span<std::uint8_t> out) {
    Random{}.fill(out.first(nonce_size));
    const auto body = out.subspan(nonce_size, text.size());
    std::copy(text.begin(), text.end(), body.begin());
    Gcm gcm{key, out.data()};
    br_gcm_run(&gcm.context, 1, body.data(), body.size());
    br_gcm_get_tag(&gcm.context, body.data() + body.size());
}

bool open(const Hash& key, Bytes sealed, std::span<std::uint8_t> out) {
    if (sealed.size() < nonce_size + tag_size) return false;
    const Bytes text = sealed.subspan(nonce_size, sealed.size() - nonce_size - tag_size);
    std::copy(text.begin(), text.end(), out.begin());
    Gcm gcm{key, sealed.data()};
    br_gcm_run(&gcm.context, 0, out.data(), text.size());
    return br_gcm_check_tag(&gcm.context, text.data() + text.size()) == 1;
}

void sign(const Hash& seed, const Hash& what, std::span<std::uint8_t, signature_size> out) {
    PrivateKey key;
    make_private_key(seed, key);
    br_ecdsa_i31_sign_raw(&br_ec_p256_m31, &br_sha256_vtable, what.data(), &key.key, out.data());
}

bool is_signed(std::span<const std::uint8_t, public_key_size> key, const Hash& what, Bytes signature) {
    std::array<unsigned char, public_key_size> point;
    std::copy(key.begin(), key.end(), point.begin());
    const br_ec_public_key public_one{BR_EC_secp256r1, point.data(), point.size()};
    return br_ecdsa_i31_vrfy_raw(&br_ec_p256_m31, what.data(), what.size(), &public_one, signature.data(), signature.size()) == 1;
}

void public_key(const Hash& seed, std::span<std::uint8_t, public_key_size> out) {
    PrivateKey key;
    br_ec_public_key found;
    std::array<unsigned char, BR_EC_KBUF_PUB_MAX_SIZE> bytes;
    make_private_key(seed, key);
    br_ec_compute_pub(&br_ec_p256_m31, &found, bytes.data(), &key.key);
    std::copy_n(found.q, public_key_size, out.begin());
}

}  // namespace partita::secure
