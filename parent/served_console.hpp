// The virtio console of another partition, whose ports are that partition's ends of channels.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "partita/guest/virtio/console.hpp"
#include "served_device.hpp"
#include "served_tree.hpp"

namespace partita::parent {

class ServedConsole final : public ServedDevice, public virtio::ConsoleLink {
public:
    // As the device tree describes the device of that number. False: it describes none, or one that this cannot serve.
    [[nodiscard]] bool open(std::uint32_t device);
    void serve(std::uint32_t handle, std::uint32_t what, std::uint32_t value) override;
    // One of its ports'.
    void interrupted(std::uint32_t intid) override;
    void enable_interrupts(void (*handler)(std::uint32_t)) const override;

private:
    [[nodiscard]] std::span<std::uint8_t> page() override;
    [[nodiscard]] Sent send(std::uint32_t port, std::uint32_t size) override;
    [[nodiscard]] std::optional<std::uint32_t> receive(std::uint32_t port) override;
    [[nodiscard]] bool connected(std::uint32_t port) override;
    void interrupt(std::uint32_t bits) override;
    void too_long(std::uint32_t port) override;
    void broken(std::uint32_t queue, virtio::Broken why) override;

    struct End {
        std::uint32_t number = 0, intid = 0;  // as SEND and RECEIVE know it; its interrupt
    };
    void notified(std::uint32_t queues);
    [[nodiscard]] bool find_ports(const NodeName& node);

    std::uint32_t device_ = 0;
    const char* client_ = nullptr;
    virtio::ClientMemory memory_;
    std::array<virtio::ConsolePort, virtio::most_ports> ports_{};
    std::array<End, virtio::most_ports> ends_{};
    std::uint32_t count_ = 0;
    std::uint32_t given_ = 0;  // a bit for each port whose driver got the value that is the latest
    bool resumed_ = false;     // it went on where an earlier life of this partition ended
    Complaints complaints_;
    std::optional<virtio::Console> console_;
};

}  // namespace partita::parent
