// What a virtual CPU asks a server partition for and waits for: an access of its driver to a virtio device, or that the device is released.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace partita {

// One atomic word says whose turn it is, so that an answer that comes late, or for an earlier request, changes nothing: the server's CPU,
// the virtual CPU's when it waits no longer, and that of a server that ends each try to be the one that settles it.
class Request {
public:
    // A request of the virtual CPU, which has none. Its number tells it from the one before and the one after.
    void ask(std::uint32_t device, std::uint32_t what, std::uint32_t value, std::uint32_t syndrome) {
        what_.store(what, std::memory_order_relaxed);
        value_.store(value, std::memory_order_relaxed);
        syndrome_ = syndrome;
        word_.store(next(device) | asked, std::memory_order_seq_cst);
    }
    // What the server takes, once. The next request has another number: so what was read before is of this one, if it is there still.
    struct Taken {
        std::uint32_t number, what, value;
    };
    [[nodiscard]] std::optional<Taken> take(std::uint32_t device) {
        const std::uint32_t base = word_.load(std::memory_order_acquire) & ~state_mask;
        const Taken out{base >> number_shift, what_.load(std::memory_order_relaxed), value_.load(std::memory_order_relaxed)};
        std::uint32_t seen = base | asked;
        if (device_of(base) != device || !word_.compare_exchange_strong(seen, base | taken, std::memory_order_acq_rel)) return std::nullopt;
        return out;
    }
    // The server answers the one of this number.
    [[nodiscard]] bool give(std::uint32_t device, std::uint32_t number, std::uint32_t value) {
        const std::uint32_t base = number << number_shift | device << device_shift;
        std::uint32_t seen = base | taken;
        if (!word_.compare_exchange_strong(seen, base | settling, std::memory_order_acq_rel)) return false;
        return settle(base, value, false);
    }
    // What nobody takes, one of `what`, has come about.
    [[nodiscard]] bool come_about(std::uint32_t device, std::uint32_t what) {
        const std::uint32_t base = word_.load(std::memory_order_acquire) & ~state_mask;
        if (device_of(base) != device || what_.load(std::memory_order_relaxed) != what) return false;
        std::uint32_t seen = base | asked;
        return word_.compare_exchange_strong(seen, base | settling, std::memory_order_acq_rel) && settle(base, 0, false);
    }
    // Nobody answers it: true if nobody had. `device` is all ones where any is meant.
    [[nodiscard]] bool fail(std::uint32_t device = any) {
        for (const std::uint32_t state : {std::uint32_t{asked}, std::uint32_t{taken}}) {
            const std::uint32_t base = word_.load(std::memory_order_seq_cst) & ~state_mask;
            if (device != any && device_of(base) != device) return false;
            std::uint32_t seen = base | state;
            if (word_.compare_exchange_strong(seen, base | settling, std::memory_order_acq_rel)) return settle(base, 0, true);
        }
        return false;
    }
    // The virtual CPU's: the answer is used up. False: there is none (yet).
    [[nodiscard]] bool finish() {
        const std::uint32_t base = word_.load(std::memory_order_acquire) & ~state_mask;
        std::uint32_t seen = base | answered;
        return word_.compare_exchange_strong(seen, base | none, std::memory_order_acq_rel);
    }
    // ... or it does not wait any more.
    void withdraw() { word_.fetch_and(~state_mask, std::memory_order_acq_rel); }

    [[nodiscard]] std::uint32_t number() const { return word_.load(std::memory_order_relaxed) >> number_shift; }
    [[nodiscard]] std::uint32_t device() const { return device_of(word_.load(std::memory_order_relaxed)); }
    [[nodiscard]] std::uint32_t what() const { return what_.load(std::memory_order_relaxed); }  // r2 of TAKE
    [[nodiscard]] std::uint32_t syndrome() const { return syndrome_; }                          // of the trapped access
    [[nodiscard]] std::uint32_t answer() const { return answer_; }
    [[nodiscard]] bool failed() const { return failed_; }

private:
    enum State : std::uint32_t { none, asked, taken, settling, answered };
    static constexpr std::uint32_t state_mask = 7, device_shift = 3, device_mask = 0xff, number_shift = 16, any = ~0u;

    [[nodiscard]] static constexpr std::uint32_t device_of(std::uint32_t word) { return word >> device_shift & device_mask; }
    [[nodiscard]] std::uint32_t next(std::uint32_t device) const { return (number() + 1) << number_shift | device << device_shift; }
    [[nodiscard]] bool settle(std::uint32_t base, std::uint32_t value, bool failed) {
        answer_ = value, failed_ = failed;
        std::uint32_t seen = base | settling;  // it may have been withdrawn meanwhile
        return word_.compare_exchange_strong(seen, base | answered, std::memory_order_acq_rel);
    }

    std::atomic<std::uint32_t> word_{0};  // number, device, state
    std::atomic<std::uint32_t> what_{0}, value_{0};
    std::uint32_t syndrome_ = 0;
    std::uint32_t answer_ = 0;
    bool failed_ = false;
};

}  // namespace partita
