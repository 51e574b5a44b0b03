#include "memory_disk.hpp"

#include <algorithm>
#include <cstring>

#include "partita/guest/virtio/memory.hpp"

namespace partita::parent {

using std::size_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

namespace {

// What a block reads as that is not in the image.
alignas(4) constinit uint8_t nothing[MemoryDisk::block_size] = {};

// Of a byte's address: the block that it lies in.
[[nodiscard]] constexpr uint32_t block_of(uint64_t at) { return static_cast<uint32_t>(at / MemoryDisk::block_size); }

template <typename Word>
[[nodiscard]] std::span<Word> words(uint8_t* at, uint64_t count) {
    return {reinterpret_cast<Word*>(at), static_cast<size_t>(count)};
}

}  // namespace

void MemoryDisk::open(std::span<uint8_t> bytes) { bytes_ = bytes, size_ = bytes.size(); }

void MemoryDisk::open(std::span<const uint8_t> image, std::span<uint8_t> kept, uint64_t size, uint64_t changes) {
    const uint64_t blocks = size / block_size, most = changes / block_size;
    size_ = size, image_ = image;
    table_ = words<uint32_t>(kept.data(), blocks);
    taken_ = words<uint32_t>(kept.data() + blocks * 4, (most + 31) / 32);
    copies_ = kept.last(static_cast<size_t>(changes));
    std::ranges::fill(taken_, 0);
    used_ = 0;
    for (uint32_t& entry : table_) {
        if (entry == 0) continue;
        const uint32_t copy = entry - 1;
        taken_[copy / 32] |= 1u << copy % 32;
        ++used_;
    }
}

size_t MemoryDisk::part(uint64_t at, uint64_t size) const {
    return static_cast<size_t>(bytes_.empty() ? std::min<uint64_t>(size, block_size - at % block_size) : size);
}

const uint8_t* MemoryDisk::look(uint32_t block) const {
    const uint32_t entry = table_[block];
    if (entry != 0) return copies_.data() + size_t{entry - 1} * block_size;
    const uint64_t at = uint64_t{block} * block_size;
    return at < image_.size() ? image_.data() + at : nothing;
}

void MemoryDisk::read(uint64_t at, std::span<uint8_t> to) const {
    for (size_t size = 0; !to.empty(); to = to.subspan(size), at += size) {
        size = part(at, to.size());
        const uint8_t* const from = bytes_.empty() ? look(block_of(at)) + at % block_size : bytes_.data() + at;
        std::memcpy(to.data(), from, size);
    }
}

// The table says that it is there when it is: a life that ends before leaves the block as it was.
uint8_t* MemoryDisk::own(uint32_t block, bool all) {
    if (const uint32_t entry = table_[block]; entry != 0) return copies_.data() + size_t{entry - 1} * block_size;
    const auto most = static_cast<uint32_t>(copies_.size() / block_size);
    while ((taken_[next_ / 32] >> next_ % 32 & 1u) != 0) next_ = next_ + 1 == most ? 0 : next_ + 1;
    uint8_t* const copy = copies_.data() + size_t{next_} * block_size;
    if (!all) std::memcpy(copy, look(block), block_size);
    taken_[next_ / 32] |= 1u << next_ % 32;
    ++used_;
    virtio::store<uint32_t>(&table_[block], next_ + 1);
    return copy;
}

bool MemoryDisk::has_room(uint64_t at, uint64_t size) const {
    if (!bytes_.empty() || size == 0) return true;
    uint32_t needed = 0;
    for (uint32_t block = block_of(at); block <= block_of(at + size - 1); ++block) needed += table_[block] == 0 ? 1u : 0u;
    return needed <= room();
}

template <typename Put>
void MemoryDisk::change(uint64_t at, uint64_t size, Put&& put) {
    for (uint64_t done = 0; done != size;) {
        const size_t bytes = part(at + done, size - done);
        const uint64_t where = at + done;
        put(bytes_.empty() ? own(block_of(where), bytes == block_size) + where % block_size : bytes_.data() + where, done, bytes);
        done += bytes;
    }
}

void MemoryDisk::write(uint64_t at, std::span<const uint8_t> from) {
    change(at, from.size(), [&](uint8_t* to, uint64_t done, size_t bytes) { std::memcpy(to, from.data() + done, bytes); });
}

void MemoryDisk::zero(uint64_t at, uint64_t size) {
    change(at, size, [](uint8_t* to, uint64_t, size_t bytes) { std::memset(to, 0, bytes); });
}

void MemoryDisk::discard(uint64_t at, uint64_t size) {
    if (!bytes_.empty()) return;
    for (uint32_t block = block_of(at + block_size - 1); block < block_of(at + size); ++block) {
        const uint32_t entry = table_[block];
        if (entry == 0) continue;
        virtio::store<uint32_t>(&table_[block], 0);
        taken_[(entry - 1) / 32] &= ~(1u << (entry - 1) % 32);
        --used_;
    }
}

}  // namespace partita::parent
