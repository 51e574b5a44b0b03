// Calls of partitions, each in a thread of its own: an interrupt of the other world leaves it, and its caller resumes it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "kernel.hpp"
#include "partita/system_image.h"
#include "partita/trusted.h"

namespace partita::secure {

// Where it goes on, and where who entered it does: start.S.
struct Thread {
    std::uint32_t stack, dispatcher;
};

struct Session {
    // free -> running <-> interrupted, running -> free. Only who made it `running` touches the rest.
    enum class State : std::uint32_t { free, running, interrupted };

    Thread thread;
    std::atomic<State> state;
    std::uint32_t ticket;  // what resumes it
    bool done;
    Call call;
    Results results;
    partita_trusted_page page;  // the caller's, as it was when the call came
    alignas(8) std::array<std::uint8_t, 16384> stack;
};

class Sessions {
public:
    // Yielding calls, FORGET and CANCEL.
    [[nodiscard]] Results call(const Call& call);

private:
    [[nodiscard]] Results begin(Session& session, const Call& call);
    [[nodiscard]] Results resume(Session& session, std::uint32_t ticket);
    void forget(Session& session);
    [[nodiscard]] Results run(Session& session);

    std::array<Session, PARTITA_MAX_PARTITIONS> all_;  // of identity 1 and on
    std::atomic<std::uint32_t> tickets_;
};

[[nodiscard]] Sessions& sessions();

}  // namespace partita::secure
