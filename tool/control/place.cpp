#include "control/place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <expected>
#include <stdexcept>

namespace partita::tool {

namespace fs = std::filesystem;

namespace {

[[nodiscard]] std::runtime_error failure(const std::string& what) {
    return std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

[[nodiscard]] sockaddr_un address_of(const fs::path& path) {
    sockaddr_un out{};
    out.sun_family = AF_UNIX;
    const std::string text = path.string();
    if (text.size() >= sizeof out.sun_path)
        throw std::runtime_error(
            fmt::format("{}: longer than the {} characters that a socket's path may have; choose another with --socket", text,
                        sizeof out.sun_path - 1));
    text.copy(out.sun_path, text.size());
    return out;
}

// A descriptor, or why not (errno).
[[nodiscard]] std::expected<int, int> connect_to(const fs::path& path) {
    const sockaddr_un address = address_of(path);
    const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0) throw failure("no socket");
    if (connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return made;
    const int why = errno;
    close(made);
    return std::unexpected(why);
}

[[nodiscard]] int open_serial(const std::string& device) {
    const int made = open(device.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (made < 0) throw failure(device);
    termios mode{};
    if (tcgetattr(made, &mode) == 0) {
        cfmakeraw(&mode);
        cfsetspeed(&mode, B115200);
        mode.c_cflag |= CLOCAL | CREAD;
        tcsetattr(made, TCSANOW, &mode);
    }
    return made;
}

// The only one that answers. What is left of systems that are gone is removed.
[[nodiscard]] int reach_only() {
    std::vector<std::string> found;
    int only = -1;
    for (const auto& entry : fs::directory_iterator{socket_folder()}) {
        if (entry.path().extension() != ".sock") continue;
        const auto made = connect_to(entry.path());
        if (!made) {
            if (made.error() == ECONNREFUSED) fs::remove(entry.path());
            continue;
        }
        found.push_back(entry.path().string());
        if (only >= 0) close(only);
        only = *made;
    }
    if (found.size() == 1) return only;
    if (only >= 0) close(only);
    if (found.empty())
        throw std::runtime_error("no system runs; start one with `partita run system.toml`, or name a board's serial device with --system");
    std::sort(found.begin(), found.end());
    std::string all;
    for (const std::string& one : found) all += "\n  --system " + one;
    throw std::runtime_error("several systems run; say which:" + all);
}

}  // namespace

fs::path socket_folder() {
    const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
    const fs::path out = runtime != nullptr && *runtime != 0 ? fs::path{runtime} / "partita"
                                                             : fs::temp_directory_path() / fmt::format("partita-{}", getuid());
    fs::create_directories(out);
    struct stat status{};
    if (lstat(out.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != getuid() || chmod(out.c_str(), S_IRWXU) != 0)
        throw std::runtime_error(fmt::format("{} is not this user's, so no socket is safe there; set XDG_RUNTIME_DIR", out.string()));
    return out;
}

fs::path own_socket(const std::string& system) { return socket_folder() / fmt::format("{}-{}.sock", system, getpid()); }

int listen_at(const fs::path& path) {
    const sockaddr_un address = address_of(path);
    const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) throw failure("no socket");
    if (bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && listen(made, 8) == 0) return made;
    const auto wrong = failure(path.string());
    close(made);
    throw wrong;
}

int reach(const std::string& where) {
    if (where.empty()) return reach_only();
    struct stat status{};
    if (stat(where.c_str(), &status) != 0) throw failure(where);
    if (S_ISCHR(status.st_mode)) return open_serial(where);
    if (!S_ISSOCK(status.st_mode)) throw std::runtime_error(where + ": neither the socket of a system that runs nor a serial device");
    const auto made = connect_to(where);
    if (!made)
        throw std::runtime_error(
            fmt::format("{}: the system that this socket belonged to has ended ({})", where, std::strerror(made.error())));
    return *made;
}

}  // namespace partita::tool
