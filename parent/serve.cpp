// A server's program: it serves virtio devices of every kind, and does nothing else.
#include <array>
#include <optional>

#include "page.hpp"
#include "partita/guest/guest.h"
#include "partita/guest/serves.h"
#include "served_disk.hpp"
#include "served_network.hpp"
#include "served_ports.hpp"
#include "served_rng.hpp"
#include "server.hpp"

namespace {

using namespace partita::parent;

constinit Server server;

// Room for devices of a kind: nothing of it is in the program's file.
template <typename Device, std::size_t most>
class Room {
public:
    // The next of them that can serve it, if there is one left.
    [[nodiscard]] ServedDevice* open(std::uint32_t number) {
        if (count_ == most) return nullptr;
        std::optional<Device>& device = all_[count_];
        device.emplace();
        if (device->open(number)) return ++count_, &*device;
        device.reset();
        return nullptr;
    }

private:
    std::array<std::optional<Device>, most> all_{};
    std::size_t count_ = 0;
};

// Enter was typed.
volatile bool asked = false;

void typed(std::uint32_t) {
    for (int c = console_get(); c >= 0; c = console_get()) asked = asked || c == '\r' || c == '\n';
}

}  // namespace

const char* const partita::parent::program_name = "server";

PARTITA_SERVES("console=8 rpmsg=8 disk=16 network=16 rng=16");

ServedDevice* partita::parent::open_device(std::uint32_t number) {
    static constinit Room<ServedConsole, 8> consoles;
    static constinit Room<ServedRpmsg, 8> rpmsgs;
    static constinit Room<ServedDisk, 16> disks;
    static constinit Room<ServedNetwork, 16> networks;
    static constinit Room<ServedRng, 16> rngs;
    if (ServedDevice* const console = consoles.open(number); console != nullptr) return console;
    if (ServedDevice* const rpmsg = rpmsgs.open(number); rpmsg != nullptr) return rpmsg;
    if (ServedDevice* const disk = disks.open(number); disk != nullptr) return disk;
    if (ServedDevice* const network = networks.open(number); network != nullptr) return network;
    return rngs.open(number);
}

int main() {
    interrupts_init();
    if (!name_message_page()) {
        console_write("server: the hypervisor refuses its message page\n");
        return 1;
    }
    server.start();
    console_listen(typed);
    console_printf("server: life %u\n", static_cast<unsigned>(life_number()));
    for (;;) {
        if (asked) {
            asked = false;
            server.tell();
        }
        if (!server.work()) wait_for_interrupt();
        interrupts_on();
        interrupts_off();
    }
}
