// The other ends of a device's ports, in memory.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "partita/guest/virtio/ports.hpp"

namespace partita::virtio {

class FakePortLink final : public PortLink {
public:
    [[nodiscard]] std::span<std::uint8_t> page() override { return page_; }
    [[nodiscard]] Sent send(std::uint32_t port, std::uint32_t size) override {
        if (room == 0) return Sent::full;
        --room;
        sent.emplace_back(port, std::string{reinterpret_cast<const char*>(page_.data()), size});
        if (each) each(port, size);
        return Sent::done;
    }
    [[nodiscard]] std::optional<std::uint32_t> receive(std::uint32_t port) override {
        auto& queue = waiting[port];
        if (queue.empty()) return std::nullopt;
        const std::string text = queue.front();
        queue.pop_front();
        std::memcpy(page_.data(), text.data(), text.size());
        return static_cast<std::uint32_t>(text.size());
    }
    [[nodiscard]] bool connected(std::uint32_t port) override { return (there >> port & 1u) != 0; }
    void interrupt(std::uint32_t bits) override { interrupts.push_back(bits); }
    void too_long(std::uint32_t port) override { long_ones.push_back(port); }
    void broken(std::uint32_t queue, Broken why) override { stopped.emplace_back(queue, why); }

    std::uint32_t room = 100, there = 0;
    std::function<void(std::uint32_t port, std::uint32_t size)> each;  // of what is sent
    std::vector<std::pair<std::uint32_t, std::string>> sent;
    std::map<std::uint32_t, std::deque<std::string>> waiting;
    std::vector<std::uint32_t> interrupts, long_ones;
    std::vector<std::pair<std::uint32_t, Broken>> stopped;

private:
    std::array<std::uint8_t, 4096> page_{};
};

}  // namespace partita::virtio
