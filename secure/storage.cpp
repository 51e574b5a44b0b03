#include "storage.hpp"

#include <atomic>
#include <cstring>

#include "flash.hpp"
#include "lock.hpp"
#include "partita/system_image.h"
#include "partita/trusted.h"

namespace partita::secure {

using std::uint32_t;

namespace {

std::atomic_flag looking;
Log state;
std::atomic<bool> usable;                                 // written under the lock
std::array<uint32_t, PARTITA_MAX_PARTITIONS + 1> writes;  // of each identity, of the last seconds
uint32_t ticks;

[[nodiscard]] uint32_t first_word(const Hash& hash) {
    uint32_t out;
    std::memcpy(&out, hash.data(), sizeof out);
    return out;
}

[[nodiscard]] uint32_t owner_of(const KeyName& name) { return name.owner.empty() ? 0 : first_word(hash(name.owner)); }

[[nodiscard]] Key key_of(const KeyName& name) {
    const Hash all = name_hash(name);
    Key out;
    std::memcpy(out.data(), all.data(), sizeof out);
    return out;
}

[[nodiscard]] int put(uint32_t identity, const Record& record, Log::Ticket& ticket) {
    const Lock lock{looking};
    if (!usable) return PARTITA_TRUSTED_NO_STORAGE;
    if (identity != secure_world && writes[identity] == most_writes) return PARTITA_TRUSTED_TOO_OFTEN;
    const auto told = state.put(record);
    if (!told) return PARTITA_TRUSTED_FULL;
    if (identity != secure_world) ++writes[identity];
    ticket = *told;
    return PARTITA_TRUSTED_OK;
}

enum class Written { yes, not_yet, never };
[[nodiscard]] Written is_written(const Log::Ticket& ticket) {
    const Lock lock{looking};
    return state.is_written(ticket) ? Written::yes : usable ? Written::not_yet : Written::never;
}

}  // namespace

bool mount_storage(const volatile uint32_t* flash, uint32_t area_size) {
    std::array<uint32_t, 4> random;
    std::array<std::uint8_t, sizeof random> bytes;
    Random{}.fill(bytes);
    std::memcpy(random.data(), bytes.data(), sizeof random);
    state.mount(flash, area_size, random);
    writes.fill(0);
    usable = true;
    return state.is_new();
}

bool has_storage() { return usable; }

std::optional<uint32_t> recall(const KeyName& name, std::span<std::uint8_t> out) {
    const Key key = key_of(name);
    const Lock lock{looking};
    return state.get(key, out);
}

int keep(uint32_t identity, const KeyName& name, Bytes value) {
    Record record;
    Log::Ticket ticket{};
    state.make(owner_of(name), key_of(name), value, record);
    if (const int wrong = put(identity, record, ticket); wrong != PARTITA_TRUSTED_OK) return wrong;
    for (;;) {
        const Uninterrupted until_it_has_looked;
        const FlashWaiter waiter;  // before it looks: what is written in between wakes it all the same
        const Written written = is_written(ticket);
        if (written != Written::not_yet) return written == Written::yes ? PARTITA_TRUSTED_OK : PARTITA_TRUSTED_NO_STORAGE;
        await_flash();
    }
}

bool keep_at_boot(const KeyName& name, Bytes value) {
    Record record;
    Log::Ticket ticket{};
    state.make(owner_of(name), key_of(name), value, record);
    return put(secure_world, record, ticket) == PARTITA_TRUSTED_OK;
}

FlashCommand next_command() {
    const Lock lock{looking};
    return usable ? state.next() : FlashCommand{FlashCommand::Kind::none, 0, 0};
}

bool command_is_done() {
    const Lock lock{looking};
    return state.done();
}

void storage_is_broken() {
    const Lock lock{looking};
    usable = false;
}

void tick_storage() {
    constexpr uint32_t second = 1000;
    if (++ticks % second != 0) return;
    const Lock lock{looking};
    for (uint32_t& count : writes)
        if (count != 0) --count;
}

}  // namespace partita::secure
