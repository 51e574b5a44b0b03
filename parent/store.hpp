// Where images that arrive at run time are kept: memory that the parent partition's lives leave as it is, since the hypervisor fills
// partitions from it at each of their starts. Its first page says what lies where.
#pragma once

#include <cstdint>
#include <span>

#include "partita/guest/guest.h"

namespace partita::parent {

class Store {
public:
    // `memory`: which hypercalls name `ipa`; both begin and end at pages. What was arriving when the last life ended is dropped.
    void open(std::span<std::uint8_t> memory, std::uint32_t ipa);

    // Room for so many bytes that are to arrive for a partition; what was arriving for it before is dropped. Where it is, counted from the
    // store's begin; 0: there is none.
    [[nodiscard]] std::uint32_t reserve(std::uint32_t partition, std::uint32_t size);
    // False: nothing arrives there.
    [[nodiscard]] bool put(std::uint32_t offset, std::span<const std::uint8_t> bytes);
    // Gives the partition what has arrived there. What the hypervisor answers: it was checked, or is refused, and arrives still.
    [[nodiscard]] hypercall_result give(std::uint32_t partition, std::uint32_t offset);
    // Takes from a partition of the pool what it was given. What the hypervisor answers.
    [[nodiscard]] std::uint32_t take(std::uint32_t partition);
    // Its directory makes no sense: what lies where is not known, and nothing is put anywhere.
    [[nodiscard]] bool is_damaged() const { return damaged_; }
    // The longest that could arrive now.
    [[nodiscard]] std::uint32_t room() const;

private:
    enum class State : std::uint32_t { free, arriving, used };
    struct Blob {
        State state;
        std::uint32_t partition, offset, size;  // the size in bytes; each begins at a page
    };
    static constexpr std::uint32_t most = 16;
    struct Directory {
        std::uint32_t magic;
        Blob blobs[most];
    };

    // A part of the store that nothing lies in.
    struct Gap {
        std::uint32_t begin = 0, size = 0;
    };
    [[nodiscard]] std::span<Blob> blobs() const;
    [[nodiscard]] bool good() const;
    [[nodiscard]] Gap gap_at(std::uint32_t begin) const;
    [[nodiscard]] Gap best_gap(std::uint32_t size) const;
    [[nodiscard]] Blob* arriving(std::uint32_t offset, std::uint32_t size) const;
    void free(std::uint32_t partition, State state, const Blob* but) const;

    std::span<std::uint8_t> memory_;  // none: there is no store
    std::uint32_t ipa_ = 0;
    bool damaged_ = false;
};

}  // namespace partita::parent
