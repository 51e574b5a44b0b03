// A virtio device of another partition, which this one serves.
#pragma once

#include <cstdint>

#include "partita/guest/calls.h"
#include "partita/system_image.h"

namespace partita::parent {

class ServedDevice {
public:
    // What the hypervisor gave for this device (docs/hypercalls.md, TAKE).
    virtual void serve(std::uint32_t handle, std::uint32_t what, std::uint32_t value) = 0;
    // An interrupt came, perhaps one of its own.
    virtual void interrupted(std::uint32_t) {}
    virtual void enable_interrupts(void (*)(std::uint32_t)) const {}
    // Says on the console what it has done.
    virtual void tell() const {}
    // Goes on with what others' turn interrupted. True: there is still more.
    [[nodiscard]] virtual bool work() { return false; }

protected:
    ~ServedDevice() = default;
};

// Of the kinds that a program can serve, the device of that number, as the device tree describes it. nullptr: it is described there as none
// that this program can serve; or not at all. Each program has its own.
[[nodiscard]] ServedDevice* open_device(std::uint32_t number);
// What it calls itself where it says something; each has its own.
extern const char* const program_name;

// An access of the driver's; `notified(queues)` for those that nobody waits for.
template <typename Device, typename Notified>
void serve_access(Device& device, std::uint32_t handle, std::uint32_t what, std::uint32_t value, Notified&& notified) {
    const std::uint32_t offset = what & 0xfffu, size = what >> 16 & 0xfu;
    std::uint32_t answer = 0;
    switch (what >> 28) {
        case PARTITA_ASK_NOTIFY: return notified(value);
        case PARTITA_ASK_READ: answer = device.read(offset, size); break;
        case PARTITA_ASK_WRITE: device.write(offset, size, value); break;
        case PARTITA_ASK_RELEASE: device.release(); break;
        default: return;
    }
    (void)partita_call_answer(handle, answer, 0);
}

}  // namespace partita::parent
