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
    interrupt_ = serve_interrupt();
    if (interrupt_ == 0) return;
    for (uint32_t number = 0; number < devices_.size(); ++number) {
        devices_[number] = open_device(number);
        if (devices_[number] != nullptr) served_[count_++] = devices_[number];
    }
    interrupt_enable(interrupt_, 0x80, note);
    for (const ServedDevice* const device : served()) device->enable_interrupts(note);
    asked_ = true;  // before it was here to be told
}

bool Server::work() {
    for (uint32_t word = 0; word < came.size(); ++word) {
        uint32_t bits = came[word];
        came[word] = 0;
        for (; bits != 0; bits &= bits - 1) {
            const uint32_t intid = word * 32 + static_cast<uint32_t>(__builtin_ctz(bits));
            if (intid == interrupt_)
                asked_ = true;
            else
                for (ServedDevice* const device : served()) device->interrupted(intid);
        }
    }
    if (asked_) asked_ = take();
    bool more = asked_;
    for (ServedDevice* const device : served()) more = device->work() || more;
    return more;
}

// What drivers have asked for, until there is nothing more: false. True: others have their turn, since a driver may go on without end.
bool Server::take() {
    for (uint32_t n = 0; n < count_ * 4; ++n) {
        const hypercall_result asked = partita_call_take(0, 0, 0);
        if (asked.r0 != PSCI_SUCCESS) return false;
        ServedDevice* const device = devices_[asked.r1 % PARTITA_MAX_VIRTIO];
        if (device != nullptr) device->serve(asked.r1, asked.r2, asked.r3);
        if ((asked.r2 & PARTITA_ASK_LAST) != 0) return false;
    }
    return count_ != 0;
}

}  // namespace partita::parent
