// A disk in memory that this partition's lives leave as it is: all of it; or an image that is only read, and copies of the blocks of it
// that were written since.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace partita::parent {

class MemoryDisk {
public:
    static constexpr std::uint32_t block_size = 4096;

    // All of it.
    void open(std::span<std::uint8_t> bytes);
    // The memory that copies of `changes` bytes (a multiple of a block) need, for a disk of that size: a table, and the copies behind it.
    [[nodiscard]] static constexpr std::uint64_t kept_size(std::uint64_t size, std::uint64_t changes) {
        const std::uint64_t head = size / block_size * 4 + (changes / block_size + 31) / 32 * 4;
        return (head + block_size - 1) / block_size * block_size + changes;
    }
    // An image of whole blocks, behind which there are zeros. `kept` was zeros at first, is aligned to a block, and has kept_size(size,
    // changes) bytes. This may be the next life of a program that was ended between any two stores.
    void open(std::span<const std::uint8_t> image, std::span<std::uint8_t> kept, std::uint64_t size, std::uint64_t changes);

    [[nodiscard]] std::uint64_t size() const { return size_; }
    // Whether that much can be written there. Of a disk that is all in memory always.
    [[nodiscard]] bool has_room(std::uint64_t at, std::uint64_t size) const;
    // Bytes of the disk are read, written or set to zero. Whoever calls has seen that they are on it, and that there is room.
    void read(std::uint64_t at, std::span<std::uint8_t> to) const;
    void write(std::uint64_t at, std::span<const std::uint8_t> from);
    void zero(std::uint64_t at, std::uint64_t size);
    // What is discarded needs no room; it reads as something.
    void discard(std::uint64_t at, std::uint64_t size);
    // Whether it is an image and copies; and how many blocks of it can still be copied.
    [[nodiscard]] bool copies() const { return !copies_.empty(); }
    [[nodiscard]] std::uint32_t room() const { return static_cast<std::uint32_t>(copies_.size() / block_size) - used_; }

private:
    // Of so many bytes, those that lie together.
    [[nodiscard]] std::size_t part(std::uint64_t at, std::uint64_t size) const;
    [[nodiscard]] const std::uint8_t* look(std::uint32_t block) const;
    // The copy of that block, which is made if there is none: with what the block has, unless all of it is written.
    [[nodiscard]] std::uint8_t* own(std::uint32_t block, bool all);
    template <typename Put>
    void change(std::uint64_t at, std::uint64_t size, Put&& put);

    std::uint64_t size_ = 0;
    std::span<std::uint8_t> bytes_;  // where all of it is in memory
    std::span<const std::uint8_t> image_;
    std::span<std::uint32_t> table_;  // for each block: 0, or 1 + the number of its copy
    std::span<std::uint32_t> taken_;  // a bit for each copy that is some block's: worked out anew from the table in each life
    std::span<std::uint8_t> copies_;
    std::uint32_t used_ = 0, next_ = 0;  // copies; where to look for one that is not
};

}  // namespace partita::parent
