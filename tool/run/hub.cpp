#include "run/hub.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "control/place.hpp"

namespace partita::tool {

namespace {

constexpr std::size_t most_unsent = 4u << 20;  // a client that reads nothing for so long is let go
constexpr std::size_t most_clients = 16;

}  // namespace

Hub::Client::Client(int of)
    : descriptor(of), demux([this](std::uint32_t to, char byte) {
          if (to != channel && !channel_bytes.empty()) out += to_channel(channel, std::exchange(channel_bytes, {}));
          channel = to;
          channel_bytes += byte;
      }) {}

Hub::Client::~Client() { close(descriptor); }

Hub::Hub(std::filesystem::path socket) : path_(std::move(socket)), listener_(listen_at(path_)), heard_([](std::uint32_t, char) {}) {}

Hub::~Hub() {
    close(listener_);
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

void Hub::broadcast(const std::string& bytes) {
    heard_.feed(bytes);
    for (const auto& client : clients_) client->unsent += bytes;
    std::erase_if(clients_, [](const auto& client) { return !flush(*client); });
}

void Hub::let_in() {
    for (;;) {
        const int made = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (made < 0) return;
        auto client = std::make_unique<Client>(made);
        if (clients_.size() >= most_clients) continue;
        client->unsent = heard_.position();
        clients_.push_back(std::move(client));
    }
}

bool Hub::flush(Client& client) {
    while (!client.unsent.empty()) {
        const ssize_t n = send(client.descriptor, client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL);
        if (n < 0) return (errno == EAGAIN || errno == EINTR) && client.unsent.size() <= most_unsent;
        client.unsent.erase(0, static_cast<std::size_t>(n));
    }
    return true;
}

bool Hub::serve(Client& client) {
    std::array<char, 4096> buffer{};
    constexpr int most_at_once = 8;  // one that writes without end leaves the others their turn
    for (int round = 0; round < most_at_once; ++round) {
        const ssize_t n = read(client.descriptor, buffer.data(), buffer.size());
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) break;
        if (n <= 0) return false;
        client.demux.feed({buffer.data(), static_cast<std::size_t>(n)});
    }
    if (!client.channel_bytes.empty()) client.out += to_channel(client.channel, std::exchange(client.channel_bytes, {}));
    return flush(client);
}

std::string Hub::collect() {
    let_in();
    std::string out;
    std::erase_if(clients_, [&](const auto& client) {
        const bool stays = serve(*client);
        out += std::exchange(client->out, {});
        return !stays;
    });
    return out;
}

void Hub::add_sources(std::vector<pollfd>& sources) const {
    sources.push_back({listener_, POLLIN, 0});
    for (const auto& client : clients_)
        sources.push_back({client->descriptor, static_cast<short>(client->unsent.empty() ? POLLIN : POLLIN | POLLOUT), 0});
}

}  // namespace partita::tool
