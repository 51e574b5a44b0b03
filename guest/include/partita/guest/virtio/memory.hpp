// The memory of a partition whose virtio devices are served, as its server sees it. Every address in it comes from a driver that may mean
// ill, and is looked up here before anything is read or written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace partita::virtio {

class ClientMemory {
public:
    // Bytes of the client's address space from `client` on, that are seen at `here`. False: there is no room for more parts.
    bool add(std::uint32_t client, void *here, std::uint32_t size) {
        if (count_ == most) return false;
        parts_[count_++] = {client, static_cast<std::uint8_t *>(here), size};
        return true;
    }
    // What is added is all that a device may touch: a driver must put there what it means (VIRTIO_F_ACCESS_PLATFORM).
    void make_pool() { pool_ = true; }
    [[nodiscard]] bool is_pool() const { return pool_; }
    // Where so many bytes of the client's are; nullptr where not all of them are memory, in one part.
    [[nodiscard]] std::uint8_t *find(std::uint64_t address, std::uint32_t size) const {
        for (std::size_t n = 0; n < count_; ++n) {
            const Part &part = parts_[n];
            if (address >= part.client && address - part.client <= part.size && size <= part.size - (address - part.client))
                return part.here + (address - part.client);
        }
        return nullptr;
    }

private:
    struct Part {
        std::uint32_t client;
        std::uint8_t *here;
        std::uint32_t size;
    };
    static constexpr std::size_t most = 4;
    Part parts_[most] = {};
    std::size_t count_ = 0;
    bool pool_ = false;
};

// What the driver may change at any time is read once, as one access.
template <typename Value>
[[nodiscard]] Value load(const void *at) {
    return __atomic_load_n(static_cast<const Value *>(at), __ATOMIC_ACQUIRE);
}
template <typename Value>
void store(void *at, Value value) {
    __atomic_store_n(static_cast<Value *>(at), value, __ATOMIC_RELEASE);
}

}  // namespace partita::virtio
