// Interrupt lines of PCI functions that this partition drives: several may share one.
#pragma once

#include <cstdint>

#include "partita/guest/virtio/pci_device.hpp"

namespace partita::parent {

// Its line falls when it interrupts, before anything is done about it. False: there is no room for more.
[[nodiscard]] bool add_to_line(virtio::PciDevice& device);
// From now on `note` is called for interrupts of the lines that there are.
void enable_lines(void (*note)(std::uint32_t));

}  // namespace partita::parent
