#include "run/monitor.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace partita::tool {

namespace {
constexpr int patience_ms = 10'000;
}

Monitor::Monitor(const std::filesystem::path& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = socket.string();
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("the path of QEMU's monitor is too long: " + path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0 || connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("QEMU's monitor does not answer on " + path);
    (void)line();  // its greeting
    (void)command(R"({"execute":"qmp_capabilities"})");
}

Monitor::~Monitor() {
    if (socket_ >= 0) close(socket_);
}

std::string Monitor::line() {
    for (;;) {
        if (const std::size_t end = received_.find('\n'); end != std::string::npos) {
            std::string out = received_.substr(0, end);
            received_.erase(0, end + 1);
            return out;
        }
        pollfd source{socket_, POLLIN, 0};
        std::array<char, 4096> buffer{};
        const ssize_t n = poll(&source, 1, patience_ms) == 1 ? read(socket_, buffer.data(), buffer.size()) : -1;
        if (n <= 0) throw std::runtime_error("QEMU's monitor fell silent");
        received_.append(buffer.data(), static_cast<std::size_t>(n));
    }
}

// Sends a command and waits for its answer; events in between are none of it.
std::string Monitor::command(const std::string& text) {
    const std::string whole = text + "\n";
    if (write(socket_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
        throw std::runtime_error("QEMU's monitor is gone");
    for (;;) {
        const std::string answer = line();
        if (answer.find("\"error\"") != std::string::npos) throw std::runtime_error("QEMU's monitor refused: " + answer);
        if (answer.find("\"return\"") != std::string::npos) return answer;
    }
}

void Monitor::wait_for_power_off() {
    constexpr int tries = 50, pause_ms = 20;
    for (int n = 0; n < tries && command(R"({"execute":"query-status"})").find("\"running\": true") != std::string::npos; ++n)
        poll(nullptr, 0, pause_ms);
}

Bytes Monitor::memory(std::uint64_t address, std::uint64_t size, const std::filesystem::path& scratch) {
    (void)command(R"({"execute":"stop"})");
    (void)command(
        fmt::format(R"({{"execute":"pmemsave","arguments":{{"val":{},"size":{},"filename":"{}"}}}})", address, size, scratch.string()));
    std::ifstream in{scratch, std::ios::binary};
    Bytes out{std::istreambuf_iterator<char>{in}, {}};
    if (out.size() != size) throw std::runtime_error("QEMU did not save the board's memory to " + scratch.string());
    return out;
}

}  // namespace partita::tool
