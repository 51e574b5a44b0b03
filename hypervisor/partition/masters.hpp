// Devices of a partition that read and write memory by themselves: confined to its memory by the System MMU, off the bus while the
// partition is not running.
#pragma once

#include <cstdint>

#include "device/pci_function.hpp"
#include "machine/timer.hpp"
#include "partita/system_image.h"

namespace partita {

struct Cpu;
struct Partition;

// A functions' reset takes at most so long (PCIe 4.0 §6.6.2), in milliseconds.
inline constexpr std::uint32_t function_reset_ms = 100;

struct Master {
    const partita_master* description = nullptr;
    PciFunction function;  // of one that is a PCI function
    bool stopped = false;  // an access of this life was stopped, and it is cut off: under the System MMU's lock

    [[nodiscard]] bool is_function() const { return (description->flags & PARTITA_MASTER_PCI) != 0; }
};

// The partition's virtual CPUs have all stopped: before its memory is touched, its devices are cut off, and nothing of theirs is under way.
void stop_masters(Partition& partition);
// Whether devices that were reset can be used again.
[[nodiscard]] bool masters_ready(const Partition& partition);
// Before the first instruction of a life.
void start_masters(Partition& partition);

// The partition's access to configuration space, at an offset from PARTITA_PCI_CONFIG. What it does not have reads as ones.
[[nodiscard]] std::uint32_t read_config(Partition& partition, std::uint32_t offset, unsigned size);
void write_config(Partition& partition, std::uint32_t offset, unsigned size, std::uint32_t value);

// The System MMU's interrupt, or the time to look again: tells of accesses that were stopped, a few at a time. Until there is nothing left
// the interrupt is masked, and cpu.faults_due says when to look: a partition that can raise it takes nobody's time.
void take_dma_faults(Cpu& cpu);

}  // namespace partita
