#include "partition/entropy.hpp"

#include <bit>
#include <cstddef>

namespace partita {

using std::uint32_t;

namespace {

void quarter(std::array<uint32_t, 16>& x, unsigned a, unsigned b, unsigned c, unsigned d) {
    x[a] += x[b], x[d] = std::rotl(x[d] ^ x[a], 16);
    x[c] += x[d], x[b] = std::rotl(x[b] ^ x[c], 12);
    x[a] += x[b], x[d] = std::rotl(x[d] ^ x[a], 8);
    x[c] += x[d], x[b] = std::rotl(x[b] ^ x[c], 7);
}

}  // namespace

std::array<uint32_t, 16> Entropy::block(const Key& key, uint32_t counter, const std::array<uint32_t, 3>& nonce) {
    std::array<uint32_t, 16> start{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (unsigned n = 0; n < key.size(); ++n) start[4 + n] = key[n];
    start[12] = counter;
    for (unsigned n = 0; n < nonce.size(); ++n) start[13 + n] = nonce[n];
    auto x = start;
    for (unsigned round = 0; round < 10; ++round) {
        for (unsigned n = 0; n < 4; ++n) quarter(x, n, n + 4, n + 8, n + 12);
        quarter(x, 0, 5, 10, 15), quarter(x, 1, 6, 11, 12), quarter(x, 2, 7, 8, 13), quarter(x, 3, 4, 9, 14);
    }
    for (unsigned n = 0; n < x.size(); ++n) x[n] += start[n];
    return x;
}

// The next key is output that nobody sees.
void Entropy::rekey() {
    const auto words = block(key_, counter_++, {0, 0, 1});
    for (unsigned n = 0; n < key_.size(); ++n) key_[n] = words[n];
}

void Entropy::feed(std::span<const std::byte> seed) {
    for (std::size_t n = 0; n < seed.size(); ++n) {
        key_[n / 4 % key_.size()] ^= std::to_integer<uint32_t>(seed[n]) << n % 4 * 8;
        if (n % 32 == 31) rekey();
    }
    rekey();
    fed_ = fed_ || !seed.empty();
}

void Entropy::fill(std::span<std::byte> out) {
    std::array<uint32_t, 16> words{};
    for (std::size_t n = 0; n < out.size(); ++n) {
        if (n % 64 == 0) words = block(key_, counter_++, {0, 0, 0});
        out[n] = static_cast<std::byte>(words[n % 64 / 4] >> n % 4 * 8);
    }
    rekey();
}

}  // namespace partita
