// QEMU's monitor (QMP) on a socket: as much of it as is needed to read the board's memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "image/kernel.hpp"

namespace partita::tool {

class Monitor {
public:
    // Throws std::runtime_error, in words, when QEMU does not answer.
    explicit Monitor(const std::filesystem::path& socket);
    ~Monitor();
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    // Waits, not for ever, until the board has powered off.
    void wait_for_power_off();
    // Stops the board and reads physical memory, by way of a scratch file.
    [[nodiscard]] Bytes memory(std::uint64_t address, std::uint64_t size, const std::filesystem::path& scratch);

private:
    std::string command(const std::string& text);
    [[nodiscard]] std::string line();

    int socket_ = -1;
    std::string received_;
};

}  // namespace partita::tool
