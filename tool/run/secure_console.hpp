// The UART of the secure world: beside the board's own, and not framed.
#pragma once

#include <poll.h>

#include <filesystem>
#include <string>
#include <vector>

namespace partita::tool {

class SecureConsole {
public:
    // Waits for QEMU at this socket. Throws std::runtime_error, in words.
    explicit SecureConsole(std::filesystem::path socket);
    ~SecureConsole();
    SecureConsole(const SecureConsole&) = delete;
    SecureConsole& operator=(const SecureConsole&) = delete;

    // Its second serial line.
    [[nodiscard]] std::vector<std::string> qemu_arguments() const;
    // What came since.
    [[nodiscard]] std::string read();
    // What is to be waited for.
    [[nodiscard]] pollfd source() const;

private:
    std::filesystem::path path_;
    int listener_, connection_ = -1;
};

}  // namespace partita::tool
