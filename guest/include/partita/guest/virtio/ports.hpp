// A partition's ends of channels, as ports of a virtio device of it: the console's (console.hpp), or RPMsg's endpoints (rpmsg.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "partita/guest/virtio/queue.hpp"

namespace partita::virtio {

inline constexpr std::uint32_t most_ports = 15;

struct Port {
    const char *name = nullptr;
    bool sends = false;              // the driver may write,
    bool latest = false;             // or it reads values of which the latest counts
    std::uint32_t message_size = 0;  // the longest
};

// Buffers that a device takes until others have their turn: a driver that gives more without end takes only its own time.
class Turn {
public:
    void begin() { left_ = most; }
    // There was more to do when it ended.
    [[nodiscard]] bool ended() const { return left_ == 0; }
    [[nodiscard]] std::optional<std::uint16_t> next(Queue &queue) {
        if (left_ == 0) return std::nullopt;
        const auto head = queue.next();
        if (head) --left_;
        return head;
    }

private:
    static constexpr std::uint32_t most = 64;
    std::uint32_t left_ = most;
};

// What carries the messages, on the other side of the device.
class PortLink {
public:
    enum class Sent { done, full, refused };

    // Room for the longest message, of either direction.
    [[nodiscard]] virtual std::span<std::uint8_t> page() = 0;
    // The first bytes of the page, from the driver. full: not now, port_changed() tells when it is worth another try.
    [[nodiscard]] virtual Sent send(std::uint32_t port, std::uint32_t size) = 0;
    // The next message for the driver, into the page: its size. None: there is none (yet).
    [[nodiscard]] virtual std::optional<std::uint32_t> receive(std::uint32_t port) = 0;
    // Whether the other end is there.
    [[nodiscard]] virtual bool connected(std::uint32_t port) = 0;
    // Sets bits of InterruptStatus.
    virtual void interrupt(std::uint32_t bits) = 0;
    // The driver wrote more than a message can have; it is lost.
    virtual void too_long(std::uint32_t port) = 0;
    // The device works no more until it is reset.
    virtual void broken(std::uint32_t queue, Broken why) = 0;

protected:
    ~PortLink() = default;
};

}  // namespace partita::virtio
