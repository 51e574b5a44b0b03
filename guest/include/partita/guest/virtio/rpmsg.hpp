// The RPMsg device: messages of endpoints in two queues, as Linux has them (Documentation/staging/rpmsg.rst) and OpenAMP. Each port is an
// endpoint of this side, at first_address + its number. None is announced (VIRTIO_RPMSG_F_NS): Linux' driver makes devices of what is, in
// the handler of its interrupt, where its own driver for programs must sleep.
//
// A port gives the driver messages once it knows to whom: the first that comes from there says so, and is itself no message where the port
// takes none. All ports send through one queue: one whose other end is there and takes nothing makes the others wait.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "partita/guest/virtio/ports.hpp"
#include "partita/guest/virtio/transport.hpp"

namespace partita::virtio {

// With it a server goes on where another ended.
struct RpmsgState {
    TransportState transport;
    std::array<std::uint32_t, most_ports> endpoints;  // the driver's, that the port is talked to from; 0: it is not known
};

class Rpmsg final : public Device {
public:
    // A buffer of Linux' driver, less the header of a message.
    static constexpr std::uint32_t most_bytes = 496;
    static constexpr std::uint32_t first_address = 1024;

    // state: zeros, or what another server left.
    Rpmsg(RpmsgState &state, const ClientMemory &memory, std::uint32_t version, std::span<const Port> ports, PortLink &link)
        : state_(state), transport_(*this, state.transport, memory, version, 2), ports_(ports), link_(link) {}

    [[nodiscard]] std::uint32_t read(std::uint32_t offset, std::uint32_t size) const { return transport_.read(offset, size); }
    void write(std::uint32_t offset, std::uint32_t size, std::uint32_t value);
    // The driver is gone: as at power-on.
    void release() { transport_.reset(); }
    // The driver notified queues: bit n for queue n.
    void notified(std::uint32_t queues);
    // The other side of a port may have messages or room, or have come or gone.
    void port_changed(std::uint32_t port);
    // Goes on where another server ended.
    void resume();
    // There is more to do, for notified(~0u): others may have their turn before.
    [[nodiscard]] bool is_busy() const { return turn_.ended(); }

    [[nodiscard]] std::uint32_t id() const override { return 7; }
    [[nodiscard]] std::uint64_t features() const override { return 0; }
    [[nodiscard]] std::uint32_t entries(std::uint32_t queue) const override { return queue < 2 ? 64 : 0; }
    [[nodiscard]] std::uint8_t configuration(std::uint32_t) const override { return 0; }
    void reset() override { state_.endpoints = {}; }

private:
    struct Header {
        std::uint32_t source, destination, reserved;
        std::uint16_t size, flags;
    };
    void give_messages(std::uint32_t port);
    void take_messages();
    [[nodiscard]] bool take(Queue &queue, std::uint16_t head, const Header &header);
    void conclude();

    RpmsgState &state_;
    Transport transport_;
    std::span<const Port> ports_;
    PortLink &link_;
    Turn turn_;
};

}  // namespace partita::virtio
