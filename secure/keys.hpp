// Keys, and what is made with them: BearSSL's, none of our own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <bearssl.h>

namespace partita::secure {

using Bytes = std::span<const std::uint8_t>;
using Hash = std::array<std::uint8_t, br_sha256_SIZE>;

// Who has a key, and what for: keys of other owners, uses or labels are others.
struct KeyName {
    const char* use;
    Bytes owner, label;
};

// A counter that runs by itself, and fast.
[[nodiscard]] std::uint64_t clock_sample();

// Before the first call of any of the others, on one CPU.
void gather_entropy();

// What is random is so after it, at least as it was before.
void add_entropy(const Hash& more);
// All keys are derived from it. At first it is a random one.
void use_device_key(const Hash& key);

// A generator of random numbers of its own for each call: no two have the same seed, and none waits for another.
class Random {
public:
    Random();
    void fill(std::span<std::uint8_t> out);

private:
    br_hmac_drbg_context context_;
};

[[nodiscard]] Hash hash(Bytes data);
[[nodiscard]] Hash hmac(const Hash& key, Bytes data);
[[nodiscard]] Hash derive(const KeyName& name);
// What something has instead of these names; it is no secret.
[[nodiscard]] Hash name_hash(const KeyName& name);

// AES-256-GCM. `out` has room for nonce, text and tag.
inline constexpr std::size_t nonce_size = 12, tag_size = 16;
void seal(const Hash& key, Bytes text, std::span<std::uint8_t> out);
// False: it is not authentic. `out` has room for the text.
[[nodiscard]] bool open(const Hash& key, Bytes sealed, std::span<std::uint8_t> out);

// ECDSA on P-256 with the key pair that is derived from `seed`.
inline constexpr std::size_t signature_size = 64, public_key_size = 65;
void sign(const Hash& seed, const Hash& what, std::span<std::uint8_t, signature_size> out);
[[nodiscard]] bool is_signed(std::span<const std::uint8_t, public_key_size> key, const Hash& what, Bytes signature);
void public_key(const Hash& seed, std::span<std::uint8_t, public_key_size> out);

}  // namespace partita::secure
