#include "run/board_input.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace partita::tool {

namespace {

constexpr std::size_t most_waiting = 64u << 10;

}  // namespace

BoardInput::BoardInput(int descriptor) : descriptor_(descriptor) { fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK); }

void BoardInput::put(const std::string& text) {
    waiting_ += text;
    flush();
}

void BoardInput::flush() {
    while (!waiting_.empty()) {
        const ssize_t n = write(descriptor_, waiting_.data(), waiting_.size());
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        waiting_.erase(0, n > 0 ? static_cast<std::size_t>(n) : waiting_.size());  // nobody is there any more: that is seen elsewhere
    }
}

bool BoardInput::has_room() const { return waiting_.size() < most_waiting; }

pollfd BoardInput::source() const { return {waiting_.empty() ? -1 : descriptor_, POLLOUT, 0}; }

}  // namespace partita::tool
