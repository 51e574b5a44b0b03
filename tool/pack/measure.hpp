// What the secure partition will measure of an image, and the signature that it checks.
#pragma once

#include <array>
#include <expected>
#include <filesystem>
#include <string>

#include "measurement.hpp"
#include "pack/pack.hpp"

namespace partita::tool {

// The error is a sentence.
[[nodiscard]] std::expected<secure::Measured, std::string> measure(const SystemImage& image, std::uint64_t hypervisor_base);

// A private key on P-256 of a PEM file: SEC 1 ("EC PRIVATE KEY") or PKCS #8 ("PRIVATE KEY"), not encrypted.
class SigningKey {
public:
    using PublicKey = std::array<std::uint8_t, PARTITA_PUBLIC_KEY_SIZE>;

    // The error is a sentence.
    [[nodiscard]] static std::expected<SigningKey, std::string> read(const std::filesystem::path& file);
    // A new one, as PEM.
    [[nodiscard]] static std::expected<std::string, std::string> make();

    [[nodiscard]] PublicKey public_key() const;
    [[nodiscard]] std::array<std::uint8_t, PARTITA_SIGNATURE_SIZE> sign(const std::array<std::uint8_t, PARTITA_HASH_SIZE>& hash) const;

private:
    std::array<std::uint8_t, 32> secret_{};
};

}  // namespace partita::tool
