// The virtio network device of another partition, on one of the networks that this partition serves.
#pragma once

#include <cstdint>
#include <optional>

#include "lan.hpp"
#include "served_device.hpp"
#include "served_tree.hpp"

namespace partita::parent {

class ServedNetwork final : public ServedDevice, public virtio::NetworkLink, public SwitchPort {
public:
    // As the device tree describes the device of that number. False: it describes none, or one that this cannot serve.
    [[nodiscard]] bool open(std::uint32_t device);
    void serve(std::uint32_t handle, std::uint32_t what, std::uint32_t value) override;
    // The card's of its network.
    void interrupted(std::uint32_t intid) override { lan_->interrupted(intid); }
    void enable_interrupts(void (*handler)(std::uint32_t)) const override;
    [[nodiscard]] bool work() override;
    void tell() const override;

private:
    void notified();
    void after_sending();

    [[nodiscard]] Sent send(const virtio::Frame& frame) override;
    void malformed() override { lan_->frames().malformed(number_); }
    void interrupt(std::uint32_t bits) override;
    void broken(std::uint32_t queue, virtio::Broken why) override;
    [[nodiscard]] bool deliver(const virtio::Frame& frame) override;
    void delivered() override { network_->conclude(); }

    std::uint32_t device_ = 0, number_ = 0;
    const char *client_ = nullptr, *name_ = nullptr;
    Lan* lan_ = nullptr;
    virtio::ClientMemory memory_;
    bool resumed_ = false;  // it went on where an earlier life of this partition ended
    Complaints complaints_;
    std::optional<virtio::Network> network_;
};

}  // namespace partita::parent
