#include "boot/panic.hpp"

#include <atomic>

#include "arch/registers.hpp"
#include "banked.hpp"
#include "barrier.hpp"
#include "machine/console.hpp"
#include "machine/gic.hpp"
#include "machine/log.hpp"

namespace partita {

namespace {

constinit std::atomic<std::uint32_t> panicking{0};

void say(std::string_view words) {
    for (const char c : words) console::write_seized(c);
}

void say(std::string_view name, std::uint32_t value) {
    say(name);
    format_hex([](char c) { console::write_seized(c); }, value);
}

// The first CPU that panics speaks; the others, and a panic while panicking, only stop.
void begin() {
    if (panicking.exchange(1) != 0)
        for (;;) wait_for_interrupt();
    constexpr std::uint32_t all_but_me = 1u << 24;
    write32(layout::gicd + gicd::SGIR, all_but_me | intid::sgi_stop);
    console::seize();
    say("panic");
}

[[noreturn]] void finish() {
    say("\n");
    for (;;) wait_for_interrupt();
}

}  // namespace

void panic(std::string_view what, std::uint32_t detail) {
    begin();
    say(" cpu=", MPIDR::read() & 0xffu);
    say(" detail=", detail);
    say(" what=");
    say(what);
    finish();
}

// frame: r0 to r12, LR, SP.
extern "C" [[noreturn]] void on_hyp_exception(const std::uint32_t* frame, std::uint32_t kind);
void on_hyp_exception(const std::uint32_t* frame, std::uint32_t kind) {
    constexpr std::string_view names[] = {"undefined-instruction", "hypercall-from-hyp", "prefetch-abort", "data-abort"};
    begin();
    say(" cpu=", MPIDR::read() & 0xffu);
    say(" pc=", read_elr());
    say(" spsr=", read_spsr());
    say(" hsr=", HSR::read());
    say(" hdfar=", HDFAR::read());
    say(" hifar=", HIFAR::read());
    say(" sp=", frame[14]);
    say(" lr=", frame[13]);
    for (unsigned n = 0; n < 13; ++n) {
        say(n < 10 ? " r" : " r1");
        console::write_seized(static_cast<char>('0' + n % 10));
        say("=", frame[n]);
    }
    say(" what=");
    say(names[kind & 3u]);
    finish();
}

}  // namespace partita

extern "C" [[noreturn]] void abort();
void abort() { partita::panic("abort: a check inside the hypervisor failed"); }
