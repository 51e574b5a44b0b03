// Stage-2 translation tables, started at level 2: a 16 KiB root of four concatenated tables, 2 MiB blocks and 4 KiB
// pages (ARM DDI 0406C B3.6.5, B3.6.6). The same code runs in Hyp and, under test, on the host.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstddef>
#include <span>

#include "arch/address.hpp"
#include "arch/bits.hpp"

namespace partita {

using Descriptor = std::uint64_t;

namespace stage2 {

inline constexpr std::size_t root_entries = 2048;  // 4 GiB of IPA in 2 MiB steps
inline constexpr std::size_t table_entries = 512;
inline constexpr std::uint64_t ipa_limit = std::uint64_t{1} << 32;

using Type = Field<Descriptor, 1, 0>;  // 1: block, 3: table or page
using MemAttr = Field<Descriptor, 5, 2>;
using Access = Field<Descriptor, 7, 6>;  // 1: read, 3: read and write
using Shareability = Field<Descriptor, 9, 8>;
using AccessFlag = Field<Descriptor, 10>;
using Output = Field<Descriptor, 39, 12>;
using ExecuteNever = Field<Descriptor, 54>;
static_assert(disjoint<Type, MemAttr, Access, Shareability, AccessFlag, Output, ExecuteNever>);

inline constexpr Descriptor block = 1, table = 3, page = 3;

}  // namespace stage2

struct Rights {
    bool write = false;
    bool execute = false;
    bool device = false;
    bool uncached = false;  // normal memory that no cache keeps, whatever stage 1 says
    constexpr bool operator==(const Rights&) const = default;
};

enum class MapError : std::uint32_t { none, misaligned, out_of_range, occupied, no_tables };

// What a table pool offers: a zeroed table of 512 descriptors, and its physical address both ways.
template <typename P>
concept TablePool = requires(P pool, Descriptor* table, PhysAddr address) {
    { pool.take() } -> std::same_as<Descriptor*>;
    { pool.physical(table) } -> std::same_as<PhysAddr>;
    { pool.table(address) } -> std::same_as<Descriptor*>;
    { pool.publish(table) };  // makes a changed descriptor visible to the table walks
};

template <TablePool Pool>
class Stage2 {
public:
    // root: stage2::root_entries zeroed descriptors, 16 KiB aligned.
    constexpr Stage2(std::span<Descriptor, stage2::root_entries> root, Pool& pool) : root_(root), pool_(&pool) {}

    // Maps size bytes at ipa to pa. Misaligned, beyond 4 GiB of IPA, or already mapped in part: nothing is mapped.
    [[nodiscard]] constexpr MapError map(Ipa ipa, PhysAddr pa, std::uint64_t size, Rights rights) {
        if (!ipa.aligned(kPageSize) || !pa.aligned(kPageSize) || (size & (kPageSize - 1)) != 0) return MapError::misaligned;
        const auto range = IpaRange::make(ipa, size);
        if (!range || range->end().value > stage2::ipa_limit || !PhysRange::make(pa, size)) return MapError::out_of_range;
        if (occupied(*range)) return MapError::occupied;
        for (std::uint64_t done = 0; done < size;) {
            const std::uint64_t step = step_at(ipa + done, pa + done, size - done);
            Descriptor* const entry = entry_for(ipa + done, step);
            if (entry == nullptr) return MapError::no_tables;
            *entry = leaf(pa + done, rights, step);
            pool_->publish(entry);
            done += step;
        }
        return MapError::none;
    }

    // The leaf descriptor that translates ipa, or 0.
    [[nodiscard]] constexpr Descriptor translate(Ipa ipa) const {
        if (ipa.value >= stage2::ipa_limit) return 0;
        const Descriptor first = root_[block_index(ipa)];
        if (stage2::Type::get(first) != stage2::table) return stage2::Type::get(first) == stage2::block ? first : 0;
        return pool_->table(PhysAddr{first & stage2::Output::mask})[page_index(ipa)];
    }

    // The physical address behind ipa. Only where translate(ipa) is not 0.
    [[nodiscard]] constexpr PhysAddr physical(Ipa ipa) const {
        const Descriptor entry = translate(ipa);
        const bool is_block = stage2::Type::get(root_[block_index(ipa)]) == stage2::block;
        const std::uint64_t span = is_block ? kBlockSize : kPageSize;
        return PhysAddr{(entry & stage2::Output::mask & ~(span - 1)) | (ipa.value & (span - 1))};
    }

    // Takes every translation inside the range away. A block that the range covers only in part stays as it is, and the
    // call says so. The caller invalidates the TLB.
    [[nodiscard]] constexpr MapError unmap(Ipa ipa, std::uint64_t size) {
        if (!ipa.aligned(kPageSize) || (size & (kPageSize - 1)) != 0) return MapError::misaligned;
        const auto range = IpaRange::make(ipa, size);
        if (!range || range->end().value > stage2::ipa_limit) return MapError::out_of_range;
        for (std::uint64_t done = 0; done < size;) {
            const Ipa at = ipa + done;
            Descriptor* entry = &root_[block_index(at)];
            std::uint64_t step = kBlockSize - at.value % kBlockSize;
            if (stage2::Type::get(*entry) == stage2::table) {
                entry = &pool_->table(PhysAddr{*entry & stage2::Output::mask})[page_index(at)];
                step = kPageSize;
            } else if (*entry != 0 && (step != kBlockSize || size - done < kBlockSize)) {
                return MapError::misaligned;
            }
            *entry = 0;
            pool_->publish(entry);
            done += step < size - done ? step : size - done;
        }
        return MapError::none;
    }

    // Table pages that mapping the range may take, beside the root: at most one for each end that cuts a 2 MiB block, or
    // one for each 2 MiB when ipa and pa differ inside a block.
    [[nodiscard]] static constexpr std::uint64_t tables_needed(Ipa ipa, PhysAddr pa, std::uint64_t size) {
        std::uint64_t tables = 0;
        for (std::uint64_t done = 0; done < size;) {
            const std::uint64_t step = step_at(ipa + done, pa + done, size - done);
            if (step == kBlockSize) {
                done += step;
                continue;
            }
            ++tables;
            const std::uint64_t rest = kBlockSize - (ipa + done).value % kBlockSize;
            done += rest < size - done ? rest : size - done;
        }
        return tables;
    }

private:
    [[nodiscard]] static constexpr std::size_t block_index(Ipa ipa) { return static_cast<std::size_t>(ipa.value / kBlockSize); }
    [[nodiscard]] static constexpr std::size_t page_index(Ipa ipa) {
        return static_cast<std::size_t>(ipa.value / kPageSize % stage2::table_entries);
    }

    [[nodiscard]] constexpr bool occupied(const IpaRange& range) const {
        for (std::uint64_t done = 0; done < range.size;) {
            const Ipa at = range.begin + done;
            const bool whole_block_free = root_[block_index(at)] == 0;
            if (!whole_block_free && translate(at) != 0) return true;
            done += whole_block_free ? kBlockSize - at.value % kBlockSize : kPageSize;
        }
        return false;
    }

    [[nodiscard]] static constexpr std::uint64_t step_at(Ipa ipa, PhysAddr pa, std::uint64_t left) {
        return ipa.aligned(kBlockSize) && pa.aligned(kBlockSize) && left >= kBlockSize ? kBlockSize : kPageSize;
    }

    // Normal memory is inner and outer write-back, inner shareable, or not cached: the guest's stage 1 may only weaken it (B3.6.7).
    [[nodiscard]] static constexpr Descriptor leaf(PhysAddr pa, Rights rights, std::uint64_t step) {
        using namespace stage2;
        constexpr Descriptor device = 0x1, uncached = 0x5, write_back = 0xf;
        return Type::make(step == kBlockSize ? block : page) |
               MemAttr::make(rights.device     ? device
                             : rights.uncached ? uncached
                                               : write_back) |
               Access::make(rights.write ? 3 : 1) | Shareability::make(rights.device ? 0 : 3) | AccessFlag::make(1) |
               (pa.value & Output::mask) | ExecuteNever::make(rights.execute ? 0 : 1);
    }

    [[nodiscard]] constexpr Descriptor* entry_for(Ipa ipa, std::uint64_t step) {
        Descriptor& first = root_[block_index(ipa)];
        if (step == kBlockSize) return &first;
        if (first == 0) {
            Descriptor* const table = pool_->take();
            if (table == nullptr) return nullptr;
            first = pool_->physical(table).value | stage2::Type::make(stage2::table);
            pool_->publish(&first);
        }
        return &pool_->table(PhysAddr{first & stage2::Output::mask})[page_index(ipa)];
    }

    std::span<Descriptor, stage2::root_entries> root_;
    Pool* pool_;
};

}  // namespace partita
