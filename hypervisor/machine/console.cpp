#include "machine/console.hpp"

#include <array>
#include <atomic>
#include <optional>
#include <string_view>

#include "machine/lock.hpp"
#include "machine/timer.hpp"
#include "machine/uart.hpp"

namespace partita::console {

namespace {

constexpr unsigned burst = 16;  // bytes that one call sends at most, the FIFO of a PL011: the UART's interrupt sends the rest

constexpr std::uint32_t turn = 256;  // bytes that a channel sends at most before others get their turn
static_assert(turn <= PARTITA_CONSOLE_RESYNC);

struct Sender {
    std::uint32_t channel = 0;
    std::uint32_t left = 0;            // bytes of its turn; a line's end ends the turn
    std::uint32_t until_select = 0;    // framed: bytes until the channel is named again
    std::optional<std::uint8_t> owed;  // framed: the second byte of a pair
    bool mid_line = false;             // plain
    timer::Ticks last = 0;             // plain: when the channel was last seen to have something
    const char* prefix = nullptr;      // plain: the rest of a prefix that is being sent
};

constinit Ring log_ring;
constinit std::array<Ring*, channels> rings{};
constinit std::array<const char*, channels> names{};
constinit SpinLock sending;
constinit std::atomic<std::uint32_t> more{0};
constinit std::atomic<std::uint32_t> starved{0};  // 1: a writer waits for room
constinit std::atomic<std::uint32_t> filled{0};   // bits of the channels whose rings may hold something
static_assert(channels <= 32);
constinit Sender sender;
constinit std::atomic<bool> held_back{false};
constinit bool framed_output = false;
constinit timer::Ticks rest = 0, rests_until = 0;  // 0: it does not rest
constinit timer::Ticks silence = 0;                // plain: of a writer in the middle of a line, before others may break it
constinit std::uint32_t receiving_channel = PARTITA_CONSOLE_FIRST_PARTITION;
constinit bool receiving_escape = false;

// Whether a channel has something. Its bit is taken back otherwise, and set again where its writer was faster.
bool is_filled(std::uint32_t channel) {
    if (!rings[channel]->empty()) return true;
    filled.fetch_and(~(1u << channel));
    if (!rings[channel]->empty()) filled.fetch_or(1u << channel);
    return false;
}

// The channel to send from: the current one until its line or its turn ends, then the next that has something. A partition
// that floods its console takes turns with the others, and never keeps the log from being read.
std::optional<std::uint32_t> ready_channel() {
    if (sender.left != 0 && !rings[sender.channel]->empty()) return sender.channel;
    for (;;) {
        const std::uint32_t ready = filled.load(std::memory_order_acquire);
        if (ready == 0) return std::nullopt;
        const bool goes_on = sender.left != 0 && (ready >> sender.channel & 1u) != 0;  // its writer was faster
        const std::uint32_t behind = ready & ~((2u << sender.channel) - 1);
        const auto channel = goes_on ? sender.channel : static_cast<std::uint32_t>(__builtin_ctz(behind != 0 ? behind : ready));
        if (!is_filled(channel)) continue;  // its writer set the bit late
        if (!goes_on && !framed_output && sender.left != 0 && sender.mid_line && timer::now() - sender.last < silence) {
            held_back.store(true, std::memory_order_relaxed);  // others have something: tick() sees to it
            return std::nullopt;
        }
        return channel;
    }
}

// Takes a byte of the channel whose turn it is.
std::uint8_t take(std::uint32_t channel) {
    if (channel != sender.channel || sender.left == 0) sender.left = turn;
    sender.channel = channel;
    const std::uint8_t byte = rings[channel]->take().value_or(0);
    sender.left = byte == static_cast<std::uint8_t>('\n') ? 0 : sender.left - 1;
    return byte;
}

// One byte of framed output, or nothing when all rings are empty.
std::optional<std::uint8_t> next_framed() {
    if (sender.owed) {
        const std::uint8_t byte = *sender.owed;
        sender.owed.reset();
        return byte;
    }
    const auto channel = ready_channel();
    if (!channel) return std::nullopt;
    if (*channel != sender.channel || sender.until_select == 0) {
        sender.channel = *channel;
        sender.left = turn;
        sender.until_select = PARTITA_CONSOLE_RESYNC;
        sender.owed = static_cast<std::uint8_t>(PARTITA_CONSOLE_CHANNEL + *channel);
        return static_cast<std::uint8_t>(PARTITA_CONSOLE_ESCAPE);
    }
    const std::uint8_t byte = take(*channel);
    --sender.until_select;
    if (byte == static_cast<std::uint8_t>(PARTITA_CONSOLE_ESCAPE)) sender.owed = byte;
    return byte;
}

// One byte of plain output: each line begins with the channel's name.
std::optional<std::uint8_t> next_plain() {
    if (sender.prefix != nullptr) {
        if (*sender.prefix != 0) return static_cast<std::uint8_t>(*sender.prefix++);
        sender.prefix = nullptr;
        return static_cast<std::uint8_t>(' ');
    }
    const auto channel = ready_channel();
    if (!channel) return std::nullopt;
    sender.last = timer::now();
    if (*channel != sender.channel && sender.mid_line) {
        sender.mid_line = false;
        return static_cast<std::uint8_t>('\n');
    }
    if (!sender.mid_line) {
        sender.mid_line = true;
        sender.channel = *channel;
        sender.left = turn;
        sender.prefix = names[*channel];
        return static_cast<std::uint8_t>('|');
    }
    const std::uint8_t byte = take(*channel);
    sender.mid_line = byte != static_cast<std::uint8_t>('\n');
    return byte;
}

std::optional<std::uint8_t> next_byte() { return framed_output ? next_framed() : next_plain(); }

// Whether any byte is left to be sent. Bits of channels that are empty by now are taken back.
bool anything_waits() {
    for (std::uint32_t bits = filled.load(std::memory_order_acquire); bits != 0; bits &= bits - 1)
        if (is_filled(static_cast<std::uint32_t>(__builtin_ctz(bits)))) return true;
    return sender.owed.has_value();
}

// A UART that takes whatever it is given (one that is emulated does) must not keep a CPU from its partitions: after a burst, it rests, and
// where nothing waits no timer is set.
void end_burst() {
    if (rest == 0) return uart::want_room(true);
    if (!anything_waits()) return uart::want_room(starved.load() != 0);
    uart::want_room(false);
    rests_until = timer::now() + rest;
    pump_at(rests_until);
}

void send_burst() {
    if (rests_until != 0 && timer::now() < rests_until) return uart::want_room(false);  // who sent last goes on then
    rests_until = 0;
    for (unsigned n = 0; n < burst; ++n) {
        if (!uart::can_send()) {
            uart::want_room(true);
            return;
        }
        const auto byte = next_byte();
        if (!byte) {
            uart::want_room(starved.load() != 0);
            return;
        }
        uart::send(*byte);
    }
    end_burst();
}

// Whoever finds the lock taken leaves its bytes to us: it says so first, we look for it last. Neither may overtake the other, which
// acquire and release alone would allow (a store and a later load).
void release_sending() {
    sending.unlock();
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace

void start(bool framed) {
    framed_output = framed;
    sender = {};
    silence = CNTFRQ::read() / 10;
    names.fill("");
    rings.fill(nullptr);
    open_channel(PARTITA_CONSOLE_LOG, "partita:", log_ring);
    uart::start();
}

void open_channel(std::uint32_t channel, const char* name, Ring& ring) {
    names[channel] = name;
    rings[channel] = &ring;
}

bool put(std::uint32_t channel, std::uint8_t byte) {
    const char c = static_cast<char>(byte);
    return put(channel, std::string_view{&c, 1});
}

bool put(std::uint32_t channel, std::string_view bytes) {
    if (!framed_output && channel == PARTITA_CONSOLE_CONTROL) return true;  // frames are nothing to read: nobody hears them there
    if (!rings[channel]->put(bytes)) return false;
    filled.fetch_or(1u << channel);
    return true;
}

bool send_at_once(std::uint32_t channel, std::uint8_t byte) {
    constexpr auto escape = static_cast<std::uint8_t>(PARTITA_CONSOLE_ESCAPE);
    if (!framed_output || byte == escape || waiting() || !sending.try_lock()) return false;
    // What this channel's writer put into its ring before has been sent, or its bit would be set.
    const bool can = !waiting() && sender.channel == channel && sender.until_select != 0 && !sender.owed && uart::can_send();
    if (can) {
        uart::send(byte);
        --sender.until_select;
        sender.left = byte == static_cast<std::uint8_t>('\n') ? 0 : turn;
    }
    release_sending();
    return can;
}
bool waiting() { return filled.load(std::memory_order_acquire) != 0; }

bool full(std::uint32_t channel) { return rings[channel]->full(); }
std::uint32_t room(std::uint32_t channel) { return Ring::capacity - rings[channel]->count(); }

void want_room() { starved.store(1); }
bool room_wanted() { return starved.exchange(0) != 0; }

void pump() {
    more.store(1);  // in order with try_lock(): see release_sending()
    // Two rounds at most, or a partition that floods its console would keep another CPU draining for it. What comes later is
    // the business of the UART's interrupt.
    for (unsigned round = 0; round < 2; ++round) {
        if (more.load(std::memory_order_acquire) == 0 || !sending.try_lock()) return;
        more.store(0, std::memory_order_relaxed);
        send_burst();
        release_sending();
    }
    if (more.load(std::memory_order_acquire) != 0) uart::want_room(true);
}

void rest_between_bursts(timer::Ticks ticks) { rest = ticks; }

void tick() {
    if (held_back.exchange(false, std::memory_order_relaxed)) pump();
}

void flush() {
    rest = rests_until = 0;
    for (const Ring* const ring : rings)
        while (ring != nullptr && !ring->empty()) pump();
}

std::optional<Received> receive() {
    while (const auto byte = uart::receive()) {
        if (receiving_escape) {
            receiving_escape = false;
            const std::uint32_t channel = *byte - PARTITA_CONSOLE_CHANNEL;
            if (*byte >= PARTITA_CONSOLE_CHANNEL && channel < channels) receiving_channel = channel;
            if (*byte != PARTITA_CONSOLE_ESCAPE) continue;
        } else if (*byte == PARTITA_CONSOLE_ESCAPE) {
            receiving_escape = true;
            continue;
        }
        return Received{receiving_channel, *byte};
    }
    return std::nullopt;
}

void seize() {
    (void)sending.try_lock();  // whoever holds it is about to be stopped
    if (sender.owed) write_seized(static_cast<char>(*sender.owed));
    if (framed_output) {
        write_seized(static_cast<char>(PARTITA_CONSOLE_ESCAPE));
        write_seized(static_cast<char>(PARTITA_CONSOLE_CHANNEL + PARTITA_CONSOLE_LOG));
    } else {
        write_seized('\n');
    }
    while (const auto byte = log_ring.take()) write_seized(static_cast<char>(*byte));  // what led to it
}

void write_seized(char c) {
    while (!uart::can_send()) {
    }
    uart::send(static_cast<std::uint8_t>(c));
}

}  // namespace partita::console
