// The memory behind the description that the hypervisor keeps for its own tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "arch/stage2.hpp"
#include "machine/guard.hpp"
#include "partition/vcpu.hpp"

namespace partita {

// Gives out the pool that the tool reserved, which begins aligned to 16 KiB: the stream table, the partitions' roots, what the hypervisor
// keeps of each partition and virtual CPU, then translation tables. Nothing is ever given back: partitions are static.
class Pool {
public:
    Pool(const partita_image_header& header, std::byte* base)
        : physical_(header.pool_base), memory_(base + (header.pool_base - header.hypervisor_base)), size_(header.pool_size) {}

    [[nodiscard]] Descriptor* root() { return table_of(root_size, root_size); }
    [[nodiscard]] Descriptor* take() { return table_of(kPageSize, kPageSize); }
    // count objects as they are made; empty if there is too little.
    template <typename Object>
    [[nodiscard]] std::span<Object> objects(std::size_t count) {
        std::byte* const bytes = allocate(std::uint64_t{count} * sizeof(Object), alignof(Object));
        if (bytes == nullptr || count == 0) return {};
        auto* const first = reinterpret_cast<Object*>(bytes);
        for (std::size_t n = 0; n < count; ++n) std::construct_at(first + n);
        return {first, count};
    }
    [[nodiscard]] std::byte* bytes(std::size_t count) { return allocate(count, alignof(std::uint64_t)); }
    // The virtual CPUs, each behind its guard.
    [[nodiscard]] std::span<VcpuSlot> vcpus(std::size_t count) {
        const std::byte* const bytes = allocate(std::uint64_t{count} * VcpuSlot::backed, kPageSize);
        if (bytes == nullptr) return {};
        const PhysAddr pa{physical_ + static_cast<std::uint64_t>(bytes - memory_)};
        auto* const first = reinterpret_cast<VcpuSlot*>(behind_guards(pa, VcpuSlot::backed, count));
        for (std::size_t n = 0; n < count; ++n) std::construct_at(&first[n].vcpu);
        return {first, count};
    }
    [[nodiscard]] PhysAddr physical(const void* table) const {
        return PhysAddr{physical_ + static_cast<std::uint64_t>(static_cast<const std::byte*>(table) - memory_)};
    }
    [[nodiscard]] Descriptor* table(PhysAddr address) const {
        return reinterpret_cast<Descriptor*>(memory_ + static_cast<std::uintptr_t>(address.value - physical_));
    }
    void publish(const Descriptor*) const {}  // nothing walks the tables before the barrier at the end of set_up()

private:
    [[nodiscard]] std::byte* allocate(std::uint64_t size, std::uint64_t alignment) {
        const std::uint64_t begin = (used_ + alignment - 1) & ~(alignment - 1);
        if (begin > size_ || size > size_ - begin) return nullptr;
        used_ = begin + size;
        return memory_ + static_cast<std::uintptr_t>(begin);
    }
    static constexpr std::uint64_t root_size = std::uint64_t{stage2::root_entries} * sizeof(Descriptor);

    [[nodiscard]] Descriptor* table_of(std::uint64_t size, std::uint64_t alignment) {
        auto* const table = reinterpret_cast<Descriptor*>(allocate(size, alignment));
        for (std::uint64_t n = 0; table != nullptr && n < size / sizeof(Descriptor); ++n) table[n] = 0;
        return table;
    }

    std::uint64_t physical_;
    std::byte* memory_;
    std::uint64_t size_;
    std::uint64_t used_ = 0;
};

}  // namespace partita
