// What confines devices' own accesses to memory. The System MMU here is an SMMUv3; another one, or a SoC's firewall, has to offer the same.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include "arch/address.hpp"

namespace partita {

// An access of a device that was stopped.
struct DmaFault {
    enum class Reason : std::uint32_t { unmapped, permission, other };
    std::uint32_t stream = 0;
    Reason reason = Reason::other;
    std::uint32_t code = 0;  // the System MMU's own
    bool write = false;
    std::uint64_t address = 0;  // as the device gave it: an IPA of its partition
};

// Streams are what devices are known by. From start() on each of them is blocked: its accesses end without a trace, until it is attached
// to an address space. What block() and forget() have done holds when they return, for accesses under way too.
template <typename T>
concept Iommu = requires(T iommu, std::uint32_t stream, PhysAddr tables, std::uint32_t vmid, std::uint32_t mark) {
    { iommu.present() } -> std::same_as<bool>;
    { iommu.attach(stream, tables, vmid) };  // to the stage-2 tables at `tables`, from level 1 on
    { iommu.block(stream) };
    { iommu.forget(vmid) };  // what was cached of an address space
    { iommu.next_fault() } -> std::same_as<std::optional<DmaFault>>;
    { iommu.last_fault() } -> std::same_as<std::uint32_t>;  // a mark behind all that there are now,
    { iommu.given(mark) } -> std::same_as<bool>;            // and whether next_fault() has given those before it
    { iommu.lost_faults() } -> std::same_as<bool>;          // since it was asked last, more came than it could keep
};

}  // namespace partita
