// Ends of channels of another partition, as the hypervisor has them for this one, and the device tree describes them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "partita/guest/virtio/ports.hpp"
#include "served_tree.hpp"

namespace partita::parent {

class PortEnds final : public virtio::PortLink {
public:
    // Those of the device of that number, which is called that. False: what is described has no place here.
    [[nodiscard]] bool open(std::uint32_t device, const char* what);
    [[nodiscard]] std::span<const virtio::Port> ports() const { return std::span{ports_}.first(count_); }
    void enable_interrupts(void (*handler)(std::uint32_t)) const;
    // The port whose interrupt that is, which may have something new. None: it is another's.
    [[nodiscard]] std::optional<std::uint32_t> interrupted(std::uint32_t intid);

    [[nodiscard]] std::span<std::uint8_t> page() override;
    [[nodiscard]] Sent send(std::uint32_t port, std::uint32_t size) override;
    [[nodiscard]] std::optional<std::uint32_t> receive(std::uint32_t port) override;
    [[nodiscard]] bool connected(std::uint32_t port) override;
    void interrupt(std::uint32_t bits) override;
    void too_long(std::uint32_t port) override;
    void broken(std::uint32_t queue, virtio::Broken why) override;

private:
    struct End {
        std::uint32_t number = 0, intid = 0;  // as SEND and RECEIVE know it; its interrupt
    };
    std::uint32_t device_ = 0;
    const char *client_ = nullptr, *what_ = nullptr;
    std::array<virtio::Port, virtio::most_ports> ports_{};
    std::array<End, virtio::most_ports> ends_{};
    std::uint32_t count_ = 0;
    std::uint32_t given_ = 0;  // a bit for each port whose driver got the value that is the latest
    Complaints complaints_;
};

}  // namespace partita::parent
