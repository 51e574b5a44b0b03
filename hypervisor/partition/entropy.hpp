// Random bytes for the guests' device trees: ChaCha20 (RFC 8439 §2.3) keyed once from what firmware left, with a counter
// that never repeats. Without entropy it says so, instead of making something up.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace partita {

class Entropy {
public:
    using Key = std::array<std::uint32_t, 8>;

    // Mixes seed into the key; more than one call adds up.
    void feed(std::span<const std::byte> seed);
    [[nodiscard]] bool available() const { return fed_; }
    // Fills out; the key that made it is gone afterwards, so that an older output cannot be made again.
    void fill(std::span<std::byte> out);

    // The block function of RFC 8439, for its test vectors.
    [[nodiscard]] static std::array<std::uint32_t, 16> block(const Key& key, std::uint32_t counter,
                                                             const std::array<std::uint32_t, 3>& nonce);

private:
    void rekey();

    Key key_{};
    std::uint32_t counter_ = 0;
    bool fed_ = false;
};

}  // namespace partita
