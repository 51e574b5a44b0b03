#include "pci_lines.hpp"

#include <array>

#include "partita/guest/guest.h"

namespace partita::parent {

using std::uint32_t;

namespace {

constexpr uint32_t most = 4;
constinit std::array<virtio::PciDevice*, most> devices{};
constinit uint32_t count = 0;
constinit void (*tell)(uint32_t) = nullptr;

// Until it falls, a line interrupts again at once.
void interrupted(uint32_t intid) {
    for (uint32_t n = 0; n < count; ++n)
        if (devices[n]->interrupt() == intid) (void)devices[n]->acknowledge();
    tell(intid);
}

}  // namespace

bool add_to_line(virtio::PciDevice& device) {
    if (count == most) return false;
    devices[count++] = &device;
    return true;
}

void enable_lines(void (*note)(uint32_t)) {
    tell = note;
    for (uint32_t n = 0; n < count; ++n) interrupt_enable(devices[n]->interrupt(), 0x80, interrupted);
}

}  // namespace partita::parent
