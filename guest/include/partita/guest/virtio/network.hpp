// The virtio network device (Virtual I/O Device 1.2 §5.1): one pair of queues, buffers that are merged, checksums and TCP segments left to
// whoever does them best.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "partita/guest/virtio/frame.hpp"
#include "partita/guest/virtio/transport.hpp"

namespace partita::virtio {

using MacAddress = std::array<std::uint8_t, 6>;

// What is on the other side of the device.
class NetworkLink {
public:
    enum class Sent : std::uint8_t { done, wait };

    // A frame of the driver's. wait: not now; it stays the driver's, and the device tries again when it is told to go on.
    [[nodiscard]] virtual Sent send(const Frame &frame) = 0;
    // The driver sent what is no frame; it is lost.
    virtual void malformed() = 0;
    // Sets bits of InterruptStatus.
    virtual void interrupt(std::uint32_t bits) = 0;
    // The device works no more until it is reset.
    virtual void broken(std::uint32_t queue, Broken why) = 0;

protected:
    ~NetworkLink() = default;
};

// With it a server goes on where another ended. Frames that were under way are lost, as on any network.
struct NetworkState {
    TransportState transport;
};

class Network final : public Device {
public:
    // state: zeros, or what another server left.
    Network(NetworkState &state, const ClientMemory &memory, std::uint32_t version, const MacAddress &mac, NetworkLink &link)
        : transport_(*this, state.transport, memory, version, 2), legacy_(version == 1), mac_(mac), link_(link) {}

    [[nodiscard]] std::uint32_t read(std::uint32_t offset, std::uint32_t size) const { return transport_.read(offset, size); }
    void write(std::uint32_t offset, std::uint32_t size, std::uint32_t value);
    // The driver is gone: as at power-on.
    void release() { transport_.reset(); }
    // Sends what the driver made available.
    void notified();
    // Gives the driver a frame. False: it has no room for it, or does not work. conclude() tells it of all that it got.
    [[nodiscard]] bool deliver(const Frame &frame);
    void conclude();
    // Goes on where another server ended.
    void resume();
    // There is more to do, for notified(): others may have their turn before.
    [[nodiscard]] bool is_busy() const { return busy_; }
    // ... once the link takes more.
    [[nodiscard]] bool waits() const { return waits_; }

    [[nodiscard]] std::uint32_t id() const override { return 1; }
    [[nodiscard]] std::uint64_t features() const override;
    [[nodiscard]] std::uint32_t entries(std::uint32_t queue) const override { return queue < 2 ? 256 : 0; }
    [[nodiscard]] std::uint8_t configuration(std::uint32_t offset) const override;
    void reset() override { busy_ = waits_ = false; }

private:
    static constexpr std::uint32_t from_outside = 0, from_driver = 1;  // queues
    static constexpr std::uint32_t most_parts = 64;
    static constexpr std::uint32_t most_buffers = 64;  // that a frame is put into

    [[nodiscard]] bool merges() const;
    [[nodiscard]] std::uint32_t header_size() const { return legacy_ && !merges() ? 10 : 12; }
    [[nodiscard]] Offloads offloads() const;
    [[nodiscard]] std::optional<bool> collect(Queue &queue, std::uint16_t head, Frame &frame);
    void take_front(const Frame &all, Frame &frame);
    [[nodiscard]] bool agreed(const FrameHeader &header) const;
    [[nodiscard]] bool put(const Frame &frame);
    [[nodiscard]] bool fill(Queue &queue, std::uint16_t head, const Frame &frame, std::uint32_t &at, std::uint32_t &written) const;
    [[nodiscard]] static bool tell_count(Queue &queue, std::uint16_t head, std::uint32_t count);

    Transport transport_;
    bool legacy_;
    MacAddress mac_;
    NetworkLink &link_;
    std::array<Segment, most_parts> parts_{};
    std::array<std::uint8_t, smallest_frame> front_{};
    bool busy_ = false, waits_ = false;
};

}  // namespace partita::virtio
