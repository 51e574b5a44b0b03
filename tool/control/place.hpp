// Where a running system is reached: the socket of a `partita run`, or the serial device of a board.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace partita::tool {

// The folder of the sockets of this user's systems; made where it is not there.
[[nodiscard]] std::filesystem::path socket_folder();
// For a system of that name that this process runs.
[[nodiscard]] std::filesystem::path own_socket(const std::string& system);

// Listens there; a descriptor. Throws std::runtime_error in words.
[[nodiscard]] int listen_at(const std::filesystem::path& socket);

// Connects to the socket or opens the serial device (115200 8N1, raw) at `where`; with none, to the only system of this user that runs.
// A descriptor. Throws std::runtime_error, with the systems to choose from where there are several.
[[nodiscard]] int reach(const std::string& where);

}  // namespace partita::tool
