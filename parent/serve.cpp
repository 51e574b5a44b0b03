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

// How many devices of each kind there is room for.
#define MOST_PORTED 8
#define MOST_OTHERS 16
PARTITA_SERVES(PARTITA_SERVES_KIND("console", MOST_PORTED) PARTITA_SERVES_KIND("rpmsg", MOST_PORTED)
                   PARTITA_SERVES_KIND("disk", MOST_OTHERS) PARTITA_SERVES_KIND("network", MOST_OTHERS)
                       PARTITA_SERVES_KIND("rng", MOST_OTHERS));

ServedDevice* partita::parent::open_device(std::uint32_t number) {
    static constinit Room<ServedConsole, MOST_PORTED> consoles;
    static constinit Room<ServedRpmsg, MOST_PORTED> rpmsgs;
    static constinit Room<ServedDisk, MOST_OTHERS> disks;
    static constinit Room<ServedNetwork, MOST_OTHERS> networks;
    static constinit Room<ServedRng, MOST_OTHERS> rngs;
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
