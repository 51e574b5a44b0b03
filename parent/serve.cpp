// A server's program: it serves virtio devices of every kind, and does nothing else.
#include <array>

#include "page.hpp"
#include "partita/guest/guest.h"
#include "served_console.hpp"
#include "served_disk.hpp"
#include "server.hpp"

namespace {

using namespace partita::parent;

constinit Server server;

// The next of these that can serve it, if there is one left.
template <typename Device, std::size_t most>
[[nodiscard]] ServedDevice* open_next(std::array<Device, most>& all, std::uint32_t& count, std::uint32_t number) {
    if (count == most || !all[count].open(number)) return nullptr;
    return &all[count++];
}

}  // namespace

ServedDevice* partita::parent::open_device(std::uint32_t number) {
    static std::array<ServedConsole, 8> consoles;
    static std::array<ServedDisk, 16> disks;
    static std::uint32_t console_count = 0, disk_count = 0;
    if (ServedDevice* const console = open_next(consoles, console_count, number); console != nullptr) return console;
    return open_next(disks, disk_count, number);
}

int main() {
    interrupts_init();
    if (!name_message_page()) {
        console_write("server: the hypervisor refuses its message page\n");
        return 1;
    }
    server.start();
    console_printf("server: life %u\n", static_cast<unsigned>(life_number()));
    for (;;) {
        if (!server.work()) wait_for_interrupt();
        interrupts_on();
        interrupts_off();
    }
}
