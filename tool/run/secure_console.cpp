#include "run/secure_console.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "control/place.hpp"

namespace partita::tool {

SecureConsole::SecureConsole(std::filesystem::path socket) : path_(std::move(socket)), listener_(listen_at(path_)) {}

SecureConsole::~SecureConsole() {
    close(listener_);
    if (connection_ >= 0) close(connection_);
}

std::vector<std::string> SecureConsole::qemu_arguments() const {
    return {"-chardev", fmt::format("socket,id=secure,path={}", path_.string()), "-serial", "chardev:secure"};
}

std::string SecureConsole::read() {
    if (connection_ < 0) connection_ = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    std::string out;
    if (connection_ < 0) return out;
    std::array<char, 4096> buffer{};
    for (ssize_t n = recv(connection_, buffer.data(), buffer.size(), 0); n > 0; n = recv(connection_, buffer.data(), buffer.size(), 0))
        out.append(buffer.data(), static_cast<std::size_t>(n));
    return out;
}

pollfd SecureConsole::source() const { return {connection_ < 0 ? listener_ : connection_, POLLIN, 0}; }

}  // namespace partita::tool
