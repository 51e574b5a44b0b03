// A command is carried out when somebody waits for it.
#include "flash.hpp"

#include <algorithm>

#include "memory_flash.hpp"
#include "storage.hpp"

namespace partita::secure {

namespace {
MemoryFlash* used;
}

void MemoryFlash::carry_out(const FlashCommand& command) {
    const auto at = words.begin() + static_cast<std::ptrdiff_t>(command.at / 4);
    if (command.kind == FlashCommand::Kind::program) *at &= command.value;
    if (command.kind == FlashCommand::Kind::erase) std::fill_n(at, block / 4, ~0u);
}

void use_flash(MemoryFlash* flash) {
    used = flash;
    storage_is_broken();
}

const char* open_flash() {
    if (used != nullptr) (void)mount_storage(used->words.data(), used->block);
    return nullptr;
}

void tick_flash() {
    if (!has_storage()) return;
    tick_storage();
    const FlashCommand command = next_command();
    if (command.kind == FlashCommand::Kind::none) return;
    used->carry_out(command);
    (void)command_is_done();
}

bool settle_flash() {
    while (next_command().kind != FlashCommand::Kind::none) tick_flash();
    return true;
}

void leave_flash() {}
void begin_flash() {}
FlashWaiter::FlashWaiter() = default;
FlashWaiter::~FlashWaiter() = default;
void await_flash() { tick_flash(); }

}  // namespace partita::secure
