#include "server.hpp"

#include <algorithm>

#include "partita/guest/calls.h"
#include "partita/guest/tree.h"

namespace partita::parent {

using std::uint32_t;

namespace {

// Interrupts that came, until work() looks: a bit for each.
constexpr uint32_t most_interrupts = 288;
constinit std::array<volatile uint32_t, most_interrupts / 32> came{};

void note(uint32_t intid) {
    if (intid < most_interrupts) came[intid / 32] = came[intid / 32] | 1u << intid % 32;
}

[[nodiscard]] uint32_t serve_interrupt() {
    uint32_t bytes = 0;
    const uint32_t* const at = tree_child_property("hypervisor", "served", "interrupts", &bytes);
    return at != nullptr && bytes >= 12 ? tree_cell(at + 1) + 32 : 0;
}

}  // namespace

void Server::start() {
    const uint32_t interrupt = serve_interrupt();
    if (interrupt == 0) return;
    for (uint32_t number = 0; number < devices_.size(); ++number) {
        devices_[number] = open_device(number);
        if (devices_[number] != nullptr) ++count_;
    }
    interrupt_enable(interrupt, 0x80, note);
    for (const ServedDevice* const device : devices_)
        if (device != nullptr) device->enable_interrupts(note);
}

bool Server::work() {
    for (uint32_t word = 0; word < came.size(); ++word) {
        uint32_t bits = came[word];
        came[word] = 0;
        for (; bits != 0; bits &= bits - 1) {
            const uint32_t intid = word * 32 + static_cast<uint32_t>(__builtin_ctz(bits));
            for (ServedDevice* const device : devices_)
                if (device != nullptr) device->interrupted(intid);
        }
    }
    for (uint32_t n = 0; n < count_ * 4; ++n) {  // then others have their turn: a driver may go on without end
        const hypercall_result asked = partita_call_take(0, 0, 0);
        if (asked.r0 != PSCI_SUCCESS) return go_on();
        ServedDevice* const device = devices_[asked.r1 % PARTITA_MAX_VIRTIO];
        if (device != nullptr) device->serve(asked.r1, asked.r2, asked.r3);
    }
    (void)go_on();
    return count_ != 0;
}

bool Server::go_on() {
    bool more = false;
    for (ServedDevice* const device : devices_) more = (device != nullptr && device->work()) || more;
    return more;
}

}  // namespace partita::parent
