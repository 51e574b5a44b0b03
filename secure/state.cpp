#include "state.hpp"

#include <cstring>

#include "flash.hpp"
#include "storage.hpp"

namespace partita::secure {

using std::uint32_t;

namespace {

// No partition's name is empty.
constexpr KeyName seed_name{"seed", {}, {}}, device_name{"device", {}, {}}, version_name{"version", {}, {}};

}  // namespace

const char* begin_state() {
    if (const char* const wrong = open_flash(); wrong != nullptr) return wrong;
    if (!has_storage()) return nullptr;
    Hash value{};
    if (recall(seed_name, value)) add_entropy(value);
    Random{}.fill(value);
    bool kept = keep_at_boot(seed_name, value);
    if (!recall(device_name, value)) {
        Random{}.fill(value);
        kept = kept && keep_at_boot(device_name, value);
    }
    use_device_key(value);
    return kept && settle_flash() ? nullptr : "the flash does not take what must be kept";
}

bool provide_seed(const Hash& random) {
    add_entropy(random);
    Hash seed;
    Random{}.fill(seed);
    return open_flash() == nullptr && keep_at_boot(seed_name, seed) && settle_flash();
}

uint32_t oldest_version() {
    uint32_t version = 0;
    std::array<std::uint8_t, sizeof version> bytes{};
    if (recall(version_name, bytes)) std::memcpy(&version, bytes.data(), sizeof version);
    return version;
}

bool remember_version(uint32_t version) {
    std::array<std::uint8_t, sizeof version> bytes;
    std::memcpy(bytes.data(), &version, sizeof version);
    return !has_storage() || (keep_at_boot(version_name, bytes) && settle_flash());
}

}  // namespace partita::secure
