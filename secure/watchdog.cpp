#include "watchdog.hpp"

#include "console.hpp"
#include "kernel.hpp"
#include "machine.hpp"
#include "partita/guest/guest.h"
#include "partita/secure.h"

namespace partita::secure {

using std::uint32_t;

namespace {

constexpr uint32_t sample_sgi = 8;      // of the secure world: has a CPU look at itself
constexpr uint32_t every = 50;          // ms, from one look to the next
constexpr uint32_t most_waiting = 4;    // looks that an answer takes at most,
constexpr uint32_t most_at_boot = 200;  // and the first one

// GICv2 (IHI 0048B 4.3.7, 4.3.15).
constexpr uint32_t ispendr = monitor::gicd + 0x200, sgir = monitor::gicd + 0xf00;
constexpr uint32_t to_others = 1u << 24, to_self = 2u << 24, of_other_world = 1u << 15;

// Each CPU's own.
struct Watched {
    bool in_other_world;
    bool answered;     // ever
    uint32_t waiting;  // looks since it was asked
};
Watched watched[PARTITA_MONITOR_CPUS];
uint32_t ticks;

// On its own CPU, since the state of SGIs is each CPU's own.
void look() {
    Watched& self = watched[cpu_number()];
    if (!self.in_other_world) return void(self.waiting = 0);
    if ((monitor::read32(ispendr) & 1u << PARTITA_SECURE_PING_SGI) == 0) {
        self.answered = self.answered || self.waiting != 0;
        self.waiting = 1;
        return monitor::write32(sgir, to_self | of_other_world | PARTITA_SECURE_PING_SGI);
    }
    if (++self.waiting <= (self.answered ? most_waiting : most_at_boot)) return;
    write_at_once();
    console_printf("secure: the hypervisor does not answer on CPU %u for %u ms: the board is reset\n", static_cast<unsigned>(cpu_number()),
                   static_cast<unsigned>(every * (self.waiting - 1)));
    give_up();
}

void on_sample(uint32_t) { look(); }

}  // namespace

void begin_watch() { interrupt_enable(sample_sgi, 0, on_sample); }

void tick_watch() {
    if (++ticks % every != 0) return;
    monitor::write32(sgir, to_others | sample_sgi);
    look();
}

void note_interrupted(bool in_other_world) { watched[cpu_number()].in_other_world = in_other_world; }

}  // namespace partita::secure
