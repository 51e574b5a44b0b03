#include "sessions.hpp"

#include <cstring>

#include "service.hpp"
#include "system.hpp"
#include "window.hpp"

namespace partita::secure {

using std::uint32_t;

extern "C" {
void thread_enter(Thread* thread);
void thread_leave(Thread* thread);
void thread_interrupted();
}

namespace {

Sessions all_sessions;
Session* current[PARTITA_MONITOR_CPUS];  // whose thread a CPU runs

[[nodiscard]] constexpr uint32_t result(int code) { return static_cast<uint32_t>(code); }

void interrupts_on() { asm volatile("cpsie if" ::: "memory"); }
void interrupts_off() { asm volatile("cpsid if" ::: "memory"); }

// The first instruction of a thread.
void serve() {
    Session& session = *current[cpu_number()];
    interrupts_on();
    session.results = perform(session.call, session.page, booted_system());
    interrupts_off();
    session.done = true;
    thread_leave(&session.thread);
    __builtin_unreachable();
}

// What thread_enter() takes from its stack: r4 to r11, and where it begins.
void prepare(Session& session) {
    constexpr uint32_t registers = 9;
    auto* const frame = reinterpret_cast<uint32_t*>(session.stack.data() + session.stack.size()) - registers - 1;
    for (uint32_t n = 0; n < registers; ++n) frame[n] = 0;
    frame[registers - 1] = reinterpret_cast<uint32_t>(&serve);
    session.thread.stack = reinterpret_cast<uint32_t>(frame);
}

}  // namespace

Sessions& sessions() { return all_sessions; }

void thread_interrupted() { thread_leave(&current[cpu_number()]->thread); }

Results Sessions::call(const Call& call) {
    constexpr uint32_t owner = 0xffff'0000;
    if (call.function == PARTITA_TRUSTED_FORGET && call.identity == 0) {
        if (call.r1 - 1 < all_.size()) forget(all_[call.r1 - 1]);
        return {};
    }
    if (call.function == PARTITA_TRUSTED_CANCEL && call.identity - 1 < all_.size()) {
        forget(all_[call.identity - 1]);
        return {};
    }
    if ((call.function & owner) != PARTITA_TRUSTED_CALL || call.identity - 1 >= all_.size()) return {result(PARTITA_TRUSTED_NOT_SUPPORTED)};
    Session& session = all_[call.identity - 1];
    return call.function == PARTITA_TRUSTED_RESUME ? resume(session, call.r1) : begin(session, call);
}

Results Sessions::begin(Session& session, const Call& call) {
    constexpr uint32_t page_mask = 0xfff;
    if ((call.r1 & page_mask) != 0 || !is_normal_memory(call.r1, sizeof(partita_trusted_page))) return {result(PARTITA_TRUSTED_INVALID)};
    auto expected = Session::State::free;
    if (!session.state.compare_exchange_strong(expected, Session::State::running, std::memory_order_acquire))
        return {result(PARTITA_TRUSTED_BUSY)};
    session.call = call;
    session.done = false;
    session.ticket = tickets_.fetch_add(1, std::memory_order_relaxed) + 1;
    {
        const Window page{call.r1, Window::Access::read};
        std::memcpy(&session.page, page.data(), offsetof(partita_trusted_page, output));
    }
    prepare(session);
    return run(session);
}

Results Sessions::resume(Session& session, uint32_t ticket) {
    auto expected = Session::State::interrupted;
    if (!session.state.compare_exchange_strong(expected, Session::State::running, std::memory_order_acquire))
        return {result(PARTITA_TRUSTED_INVALID)};
    if (session.ticket == ticket) return run(session);
    session.state.store(Session::State::interrupted, std::memory_order_release);
    return {result(PARTITA_TRUSTED_INVALID)};
}

// Where one runs, on another CPU, that goes on.
void Sessions::forget(Session& session) {
    auto expected = Session::State::interrupted;
    (void)session.state.compare_exchange_strong(expected, Session::State::free, std::memory_order_acq_rel);
}

Results Sessions::run(Session& session) {
    current[cpu_number()] = &session;
    thread_enter(&session.thread);
    if (!session.done) {
        const Results interrupted{PARTITA_TRUSTED_INTERRUPTED, session.ticket};
        session.state.store(Session::State::interrupted, std::memory_order_release);
        return interrupted;
    }
    const Results results = session.results;
    if (results.r0 == PARTITA_TRUSTED_OK && session.page.output_size != 0) {
        const Window page{session.call.r1, Window::Access::write};
        auto* const to = reinterpret_cast<partita_trusted_page*>(page.data());
        to->output_size = session.page.output_size;
        std::memcpy(to->output, session.page.output, session.page.output_size);
    }
    session.state.store(Session::State::free, std::memory_order_release);
    return results;
}

}  // namespace partita::secure
