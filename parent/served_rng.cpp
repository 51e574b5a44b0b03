#include "served_rng.hpp"

#include "partita/guest/guest.h"
#include "partita/guest/tree.h"
#include "partition/entropy.hpp"

namespace partita::parent {

using std::uint32_t;

namespace {

constinit Entropy entropy;

// The hypervisor puts a seed there that no other life had (docs/concepts.md), or takes it out where it has no entropy.
void begin() {
    if (entropy.available()) return;
    uint32_t bytes = 0;
    const void* const seed = tree_property("rng-seed", &bytes);
    if (seed != nullptr) entropy.feed({static_cast<const std::byte*>(seed), bytes});
}

}  // namespace

bool ServedRng::open(uint32_t device) {
    const NodeName node{device};
    auto* const state = static_cast<virtio::RngState*>(find_state(node, sizeof(virtio::RngState)));
    if (!is_compatible(node, "partita,virtio-rng") || state == nullptr || !find_memory(node, memory_)) return false;
    device_ = device;
    client_ = text(node, "partita,client");
    begin();
    if (!entropy.available()) console_printf("server: %s has no rng: firmware left no entropy\n", client_);
    rng_.emplace(*state, memory_, cells(node, "partita,version")[0], *this);
    return true;
}

void ServedRng::serve(uint32_t handle, uint32_t what, uint32_t value) {
    serve_access(*rng_, handle, what, value, [this](uint32_t) {
        // The first comes with this partition's life, and behind a RELEASE: until then the driver's memory may be another life's.
        if (resumed_) return rng_->notified();
        resumed_ = true;
        rng_->resume();
    });
}

bool ServedRng::work() {
    if (rng_->is_busy()) rng_->notified();
    return rng_->is_busy();
}

bool ServedRng::available() const { return entropy.available(); }

void ServedRng::fill(std::span<std::uint8_t> bytes) { entropy.fill(std::as_writable_bytes(bytes)); }

void ServedRng::interrupt(uint32_t bits) { (void)partita_call_raise(device_, bits, 0); }

void ServedRng::broken(uint32_t queue, virtio::Broken why) {
    if (complaints_.may_say())
        console_printf("server: the rng of %s stops until its driver resets it: queue %u: %s\n", client_, static_cast<unsigned>(queue),
                       virtio::words_of(why));
}

}  // namespace partita::parent
