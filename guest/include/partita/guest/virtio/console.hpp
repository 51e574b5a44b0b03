// The virtio console (Virtual I/O Device 1.2 §5.3) with named ports. A message is one buffer: what a program writes at once, and what it
// reads at once.
#pragma once

#include <cstdint>
#include <span>

#include "partita/guest/virtio/ports.hpp"
#include "partita/guest/virtio/transport.hpp"

namespace partita::virtio {

// What the driver has been told, and has said: with the transport's state, all that a server needs to go on where another ended.
struct ConsoleState {
    TransportState transport;
    std::uint32_t ready;                         // the driver speaks of ports
    std::uint32_t known;                         // a bit for each port that the driver has,
    std::uint32_t opened;                        // ... a bit for each port that a program has open
    std::uint32_t to_add, to_name, to_announce;  // what the driver is to be told of each port yet
    std::uint32_t announced;                     // ports whose other end it believes to be there
};

class Console final : public Device {
public:
    // state: zeros, or what another server left.
    Console(ConsoleState &state, const ClientMemory &memory, std::uint32_t version, std::span<const Port> ports, PortLink &link)
        : state_(state),
          transport_(*this, state.transport, memory, version, static_cast<std::uint32_t>(ports.size() + 1) * 2),
          ports_(ports),
          link_(link) {}

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

    [[nodiscard]] std::uint32_t id() const override { return 3; }
    [[nodiscard]] std::uint64_t features() const override;
    [[nodiscard]] std::uint32_t entries(std::uint32_t queue) const override;
    [[nodiscard]] std::uint8_t configuration(std::uint32_t offset) const override;
    void reset() override;

private:
    struct Control {
        std::uint32_t port;
        std::uint16_t event, value;
    };
    [[nodiscard]] bool multiport() const;
    [[nodiscard]] bool open(std::uint32_t port) const;
    void work(std::uint32_t port);
    void take_messages(std::uint32_t port);
    void give_messages(std::uint32_t port);
    void take_control();
    void obey(const Control &message);
    void give_control();
    [[nodiscard]] bool tell(const Control &message, const char *name);
    void announce(std::uint32_t port);
    void conclude();

    ConsoleState &state_;
    Transport transport_;
    std::span<const Port> ports_;
    PortLink &link_;
    Turn turn_;
};

}  // namespace partita::virtio
