// The virtio entropy device of another partition: random bytes, keyed from what this partition gets for each of its lives.
#pragma once

#include <cstdint>
#include <optional>

#include "partita/guest/virtio/rng.hpp"
#include "served_device.hpp"
#include "served_tree.hpp"

namespace partita::parent {

class ServedRng final : public ServedDevice, public virtio::RandomSource {
public:
    // As the device tree describes the device of that number. False: it describes none, or one that this cannot serve.
    [[nodiscard]] bool open(std::uint32_t device);
    void serve(std::uint32_t handle, std::uint32_t what, std::uint32_t value) override;
    [[nodiscard]] bool work() override;

private:
    [[nodiscard]] bool available() const override;
    void fill(std::span<std::uint8_t> bytes) override;
    void interrupt(std::uint32_t bits) override;
    void broken(std::uint32_t queue, virtio::Broken why) override;

    std::uint32_t device_ = 0;
    const char* client_ = nullptr;
    virtio::ClientMemory memory_;
    bool resumed_ = false;  // it went on where an earlier life of this partition ended
    Complaints complaints_;
    std::optional<virtio::Rng> rng_;
};

}  // namespace partita::parent
