// The virtio entropy device (Virtual I/O Device 1.2 §5.4): buffers that are filled with random bytes.
#pragma once

#include <cstdint>
#include <span>

#include "partita/guest/virtio/transport.hpp"

namespace partita::virtio {

// What the bytes come from.
class RandomSource {
public:
    // False: there is none, and no device.
    [[nodiscard]] virtual bool available() const = 0;
    virtual void fill(std::span<std::uint8_t> bytes) = 0;
    // Sets bits of InterruptStatus.
    virtual void interrupt(std::uint32_t bits) = 0;
    // The device works no more until it is reset.
    virtual void broken(std::uint32_t queue, Broken why) = 0;

protected:
    ~RandomSource() = default;
};

// With it a server goes on where another ended.
struct RngState {
    TransportState transport;
};

class Rng final : public Device {
public:
    // state: zeros, or what another server left.
    Rng(RngState &state, const ClientMemory &memory, std::uint32_t version, RandomSource &source)
        : transport_(*this, state.transport, memory, version, 1), source_(source) {}

    [[nodiscard]] std::uint32_t read(std::uint32_t offset, std::uint32_t size) const { return transport_.read(offset, size); }
    void write(std::uint32_t offset, std::uint32_t size, std::uint32_t value);
    // The driver is gone: as at power-on.
    void release() { transport_.reset(); }
    // Fills the buffers that the driver made available.
    void notified();
    // Goes on where another server ended.
    void resume();
    // There is more to do, for notified(): others may have their turn before.
    [[nodiscard]] bool is_busy() const { return busy_; }

    [[nodiscard]] std::uint32_t id() const override { return source_.available() ? 4 : 0; }
    [[nodiscard]] std::uint64_t features() const override { return 0; }
    [[nodiscard]] std::uint32_t entries(std::uint32_t queue) const override { return queue == 0 ? 8 : 0; }
    [[nodiscard]] std::uint8_t configuration(std::uint32_t) const override { return 0; }
    void reset() override { busy_ = false; }

private:
    Transport transport_;
    RandomSource &source_;
    bool busy_ = false;
};

}  // namespace partita::virtio
