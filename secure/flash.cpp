// NOR flash with Intel's command set, as the Common Flash Interface describes it (JESD68): two chips of 16 bits side by side. While a
// command runs they answer all that is read with their status: so what is kept is read at boot alone, and no command begins before all CPUs
// have left the flash that they began in.
#include "flash.hpp"

#include <atomic>

#include "console.hpp"
#include "kernel.hpp"
#include "machine.hpp"
#include "partita/guest/guest.h"
#include "storage.hpp"
#include "window.hpp"

namespace partita::secure {

using std::uint32_t;

namespace {

constexpr uint32_t look_sgi = 9;         // of the secure world: something is in flash
constexpr uint32_t lanes = 0x0001'0001;  // the same for both chips
constexpr uint32_t command_program = 0x40, command_erase = 0x20, command_confirm = 0xd0, command_lock = 0x60, command_status = 0x70,
                   command_clear = 0x50, command_query = 0x98, command_read = 0xff;
constexpr uint32_t status_ready = 0x80 * lanes, status_wrong = 0x3a * lanes;  // program, erase, lock, voltage
constexpr uint32_t longest = 10;                                              // seconds that a command takes; an erasure a few

volatile uint32_t* chips;  // their begin
volatile uint32_t* blocks;
bool running;  // a command
std::uint64_t begun;
std::atomic<uint32_t> cpus_outside;  // of the flash
std::atomic<uint32_t> waiting;       // for it

void send(volatile uint32_t* at, uint32_t command) { *at = command * lanes; }

void begin(const FlashCommand& command) {
    volatile uint32_t* const at = blocks + command.at / 4;
    const bool erases = command.kind == FlashCommand::Kind::erase;
    send(at, erases ? command_erase : command_program);
    *at = erases ? command_confirm * lanes : command.value;
    running = true;
    begun = timer_now();
}

// What has become of a command.
enum class Progress { runs, done, failed };
[[nodiscard]] Progress progress() {
    send(blocks, command_status);
    const uint32_t status = *blocks;
    if ((status & status_ready) != status_ready)
        return timer_now() - begun < std::uint64_t{longest} * timer_frequency() ? Progress::runs : Progress::failed;
    if ((status & status_wrong) == 0) return Progress::done;
    send(blocks, command_clear);
    return Progress::failed;
}

// The chips' own words of themselves (JESD68.01, table 2), for one of them.
[[nodiscard]] uint32_t queried(uint32_t n) { return chips[n] & 0xff; }

[[nodiscard]] const char* identify() {
    constexpr uint32_t query_at = 0x55, text = 0x10, command_set = 0x13, blocks_of_region = 0x2f;
    constexpr uint32_t intel_extended = 1, intel = 3;
    send(chips + query_at, command_query);
    const bool answers = chips[text] == 'Q' * lanes && chips[text + 1] == 'R' * lanes && chips[text + 2] == 'Y' * lanes;
    const uint32_t commands = queried(command_set) | queried(command_set + 1) << 8;
    const uint32_t block = 2 * 256 * (queried(blocks_of_region) | queried(blocks_of_region + 1) << 8);
    send(chips, command_read);
    if (!answers) return "there is no flash where the board is said to have it";
    if (commands != intel_extended && commands != intel) return "the flash has other commands than Intel's";
    return block == board().flash_block ? nullptr : "the flash has other erase blocks than the board is said to have";
}

[[nodiscard]] bool all_have_left() {
    constexpr uint32_t seconds = 5;
    const std::uint64_t until = timer_now() + std::uint64_t{seconds} * timer_frequency();
    while (cpus_outside.load(std::memory_order_acquire) < board().cpus)
        if (timer_now() > until) return false;
    return true;
}

// Many chips are locked after a reset.
void unlock(volatile uint32_t* block) {
    send(block, command_lock);
    send(block, command_confirm);
    send(block, command_clear);
    send(block, command_read);
}

// Looks after the command that runs. False: it goes on.
[[nodiscard]] bool ended() {
    const Progress now = progress();
    if (now == Progress::runs) return false;
    const bool told = now == Progress::failed || command_is_done();
    if (now == Progress::failed) {
        storage_is_broken();
        console_printf("secure: the flash has failed: from now on nothing is kept\n");
    }
    if (told && waiting.load(std::memory_order_acquire) != 0)
        monitor::write32(monitor::gicd + 0xf00, 1u << 24 | look_sgi);  // to all others
    return true;
}

}  // namespace

const char* open_flash() {
    constexpr uint32_t page = 4096;
    const uint32_t block = board().flash_block;
    if (block == 0) return nullptr;
    chips = map_device(board().flash, page);
    blocks = map_device(board().flash_state, 2 * block);
    if (chips == nullptr || blocks == nullptr || block < Log::smallest_area) return "the flash's erase blocks are too large, or too small";
    if (!all_have_left()) return "a CPU that the board is said to have has not begun";
    if (const char* const wrong = identify(); wrong != nullptr) return wrong;
    unlock(blocks);
    unlock(blocks + block / 4);
    if (mount_storage(blocks, block)) console_printf("secure: the flash keeps nothing of this board yet\n");
    return nullptr;
}

bool settle_flash() {
    Progress now = Progress::done;
    for (FlashCommand command = next_command(); command.kind != FlashCommand::Kind::none; command = next_command()) {
        begin(command);
        do now = progress();
        while (now == Progress::runs);
        running = false;
        if (now == Progress::failed) break;
        (void)command_is_done();
    }
    send(blocks, command_read);
    return now == Progress::done;
}

void tick_flash() {
    if (!has_storage()) return;
    tick_storage();
    if (running && !ended()) return;
    if (const FlashCommand command = next_command(); command.kind != FlashCommand::Kind::none) return begin(command);
    if (running) send(blocks, command_read);
    running = false;
}

void leave_flash() { cpus_outside.fetch_add(1, std::memory_order_release); }

void begin_flash() {
    interrupt_enable(look_sgi, 0, [](uint32_t) {});
}

FlashWaiter::FlashWaiter() { waiting.fetch_add(1, std::memory_order_acq_rel); }
FlashWaiter::~FlashWaiter() { waiting.fetch_sub(1, std::memory_order_acq_rel); }

void await_flash() { monitor::wait_for_interrupt(); }

}  // namespace partita::secure
