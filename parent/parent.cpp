// The parent partition: it waits for requests of the host, and for news of the hypervisor's log.
#include <array>
#include <optional>

#include "history.hpp"
#include "manager.hpp"
#include "page.hpp"
#include "partita/guest/guest.h"
#include "partita/guest/serves.h"
#include "partita/guest/tree.h"
#include "served_ports.hpp"
#include "server.hpp"
#include "store.hpp"
#include "uart.hpp"

namespace {

using namespace partita::parent;

// Of the virtual platform (docs/concepts.md).
constexpr std::uint32_t control_uart = 0x0904'0000, control_interrupt = 40, events_interrupt = 41;

constinit Uart uart;
constinit Store store;
constinit std::optional<History> history;
constinit std::optional<Manager> manager;  // made at start, so that its buffers are in no image
constinit Server server;
volatile bool news = true, due = false;

// Whether it is the parent partition. Otherwise it is a server alone.
[[nodiscard]] bool has_control() {
    std::uint32_t bytes = 0;
    return tree_child_property("", "hypervisor", "interrupts", &bytes) != nullptr;
}

// The memory that arriving images are kept in, where the description has a pool.
void open_store() {
    std::uint32_t bytes = 0;
    const std::uint32_t* const at = tree_child_property("", "hypervisor", "partita,store", &bytes);
    if (at == nullptr || bytes < 8) return;
    const std::uint32_t ipa = tree_cell(at);
    store.open({reinterpret_cast<std::uint8_t*>(ipa), tree_cell(at + 1)}, ipa);
    if (store.is_damaged()) console_write("parent: its store is damaged: it takes nothing until the board is reset\n");
}

// The page that its lives leave as it is, and what is to become of partitions that failed.
void open_history() {
    history.emplace(timer_frequency());
    std::uint32_t bytes = 0;
    const std::uint32_t* const at = tree_child_property("", "hypervisor", "partita,history", &bytes);
    if (at == nullptr || bytes < 4) return;
    history->open(reinterpret_cast<std::uint8_t*>(tree_cell(at)));
    const std::uint32_t* const after = tree_child_property("", "hypervisor", "partita,restart-after", &bytes);
    for (std::uint32_t n = 0; after != nullptr && n < bytes / 4; ++n) history->restart_after(n, tree_cell(after + n));
}

void look_at_partitions() {
    const std::uint64_t next = history->look(timer_now());
    if (next != 0)
        timer_set(next);
    else
        timer_stop();
}

// True: there is more to do.
[[nodiscard]] bool work() {
    const bool told = news, look = told || due;
    news = false;
    due = false;
    if (manager && told) manager->tell_news();
    if (manager && look) look_at_partitions();
    while (const auto byte = uart.take()) manager->receive(*byte);
    return server.work();
}

}  // namespace

const char* const partita::parent::program_name = "parent";

#define MOST_CONSOLES 8
PARTITA_SERVES(PARTITA_SERVES_KIND("console", MOST_CONSOLES));

// Consoles alone: what else there is, another program serves (serve.cpp).
ServedDevice* partita::parent::open_device(std::uint32_t number) {
    static std::array<ServedConsole, MOST_CONSOLES> consoles;
    static std::uint32_t count = 0;
    if (count == consoles.size() || !consoles[count].open(number)) return nullptr;
    return &consoles[count++];
}

int main() {
    interrupts_init();
    if (!name_message_page()) {
        console_write("parent: the hypervisor refuses its message page\n");
        return 1;
    }
    server.start();
    if (has_control()) {
        open_history();
        open_store();
        manager.emplace(uart, store, *history);
        interrupt_enable(events_interrupt, 0x80, [](std::uint32_t) { news = true; });
        interrupt_enable(TIMER_INTERRUPT, 0x80, [](std::uint32_t) {
            timer_stop();
            due = true;
        });
        uart.start(control_uart, control_interrupt);
    }
    console_printf("parent: %s, life %u\n", manager ? "manages" : "serves", static_cast<unsigned>(life_number()));
    // Interrupts are masked but for this one place: what comes while there is work is taken right after, and none is slept through.
    for (;;) {
        if (!work()) wait_for_interrupt();
        interrupts_on();
        interrupts_off();
    }
}
