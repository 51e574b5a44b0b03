// Measures a system image where it lies in memory: the secure partition before it begins, and the tool when it is built.
#pragma once

#include <array>
#include <cstdint>

#include "partita/measurement.h"

namespace partita::secure {

// Physical memory, and who looks at it.
struct Memory {
    void* context;
    // False where not all of it is memory.
    bool (*read)(void* context, std::uint64_t at, void* to, std::uint32_t size);
};

struct Measured {
    const char* wrong = nullptr;  // why it could not be measured, in words; nullptr: it was
    std::uint32_t count = 0;
    std::array<partita_measurement, PARTITA_MEASUREMENTS> all{};
    std::array<std::uint8_t, PARTITA_HASH_SIZE> system{};  // SHA-256 of them
    std::uint64_t signature_at = 0;                        // where the image's signature is, if it has one
};

// hypervisor: the address of its first byte. Nothing of what lies there is trusted.
void measure(const Memory& memory, std::uint64_t hypervisor, Measured& out);

// What is signed of an image: SHA-256 of the signature's first two words and of `system`.
[[nodiscard]] std::array<std::uint8_t, PARTITA_HASH_SIZE> signed_hash(std::uint32_t version, const Measured& measured);

}  // namespace partita::secure
