// The board's UART for more than one: a socket on which each client hears all channels, and may write to any.
#pragma once

#include <poll.h>

#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "run/demux.hpp"

namespace partita::tool {

class Hub {
public:
    // Throws std::runtime_error, in words.
    explicit Hub(std::filesystem::path socket);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    // What the board sent.
    void broadcast(const std::string& bytes);
    // What clients have for the board: whole channels' bytes, not mixed. New clients are let in.
    [[nodiscard]] std::string collect();
    // What is to be waited for.
    void add_sources(std::vector<pollfd>& sources) const;

private:
    struct Client {
        explicit Client(int of);
        ~Client();
        Client(const Client&) = delete;
        Client& operator=(const Client&) = delete;
        int descriptor;
        std::string unsent;
        std::string channel_bytes;
        std::uint32_t channel = 0;
        std::string out;  // for the board
        Demux demux;
    };
    void let_in();
    static bool serve(Client& client);
    static bool flush(Client& client);

    std::filesystem::path path_;
    int listener_;
    Demux heard_;  // where in its channels the board is
    std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace partita::tool
