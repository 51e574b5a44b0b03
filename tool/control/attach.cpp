#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>

#include "control/words.hpp"
#include "partita/console.h"

namespace partita::tool {

namespace {

// The terminal passes keys as they are, until it is gone.
class RawTerminal {
public:
    RawTerminal() {
        tcgetattr(0, &saved_);
        termios mode = saved_;
        cfmakeraw(&mode);
        mode.c_oflag |= OPOST | ONLCR;
        tcsetattr(0, TCSADRAIN, &mode);
    }
    ~RawTerminal() { tcsetattr(0, TCSADRAIN, &saved_); }
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;

private:
    termios saved_{};
};

class Keys {
public:
    // What is to be sent; nothing: the user leaves.
    std::optional<std::string> typed(const std::string& keys) {
        constexpr char prefix = 'A' - '@';
        std::string out;
        for (const char key : keys) {
            if (prefix_ && (key == 'x' || key == 'q')) return std::nullopt;
            if (key == prefix && !prefix_) {
                prefix_ = true;
                continue;
            }
            prefix_ = false;
            out += key;
        }
        return out;
    }

private:
    bool prefix_ = false;
};

}  // namespace

void attach(Client& client, const std::string& name) {
    const RunningPartition partition = client.find(name);
    const std::uint32_t channel = PARTITA_CONSOLE_FIRST_PARTITION + partition.number;
    const bool terminal = isatty(0) != 0;
    std::optional<RawTerminal> raw;
    if (terminal) {
        fmt::print(stderr, "partita: console of {}; Ctrl-A x leaves\n", name);
        raw.emplace();
    }
    client.on_other([channel](std::uint32_t from, char byte) {
        if (from == channel) std::putchar(byte);
    });
    Keys keys;
    bool open = true;
    for (;;) {
        std::array<pollfd, 2> sources{pollfd{client.descriptor(), POLLIN, 0}, pollfd{open ? 0 : -1, POLLIN, 0}};
        poll(sources.data(), sources.size(), -1);
        if (sources[0].revents != 0 && !client.read(std::chrono::milliseconds{0})) break;
        std::fflush(stdout);
        if ((sources[1].revents & (POLLIN | POLLHUP)) == 0) continue;
        std::array<char, 256> buffer{};
        const ssize_t n = read(0, buffer.data(), buffer.size());
        if (n <= 0) {
            open = false;
            continue;
        }
        std::string text{buffer.data(), static_cast<std::size_t>(n)};
        const auto send = terminal ? keys.typed(text) : std::optional{text};
        if (!send) break;
        if (!send->empty()) client.send(channel, *send);
    }
    client.on_other({});
}

}  // namespace partita::tool
