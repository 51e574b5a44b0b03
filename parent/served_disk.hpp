// The virtio disk of another partition, in memory that this partition's lives leave as it is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "partita/guest/virtio/block.hpp"
#include "served_device.hpp"
#include "served_tree.hpp"

namespace partita::parent {

class ServedDisk final : public ServedDevice, public virtio::Disk {
public:
    // As the device tree describes the device of that number. False: it describes none, or one that this cannot serve.
    [[nodiscard]] bool open(std::uint32_t device);
    void serve(std::uint32_t handle, std::uint32_t what, std::uint32_t value) override;
    [[nodiscard]] bool work() override;

private:
    // What is kept of the device: zeros at first.
    struct Kept {
        virtio::BlockState state;
        std::uint32_t filled;  // the disk has what it begins with
    };
    [[nodiscard]] bool find_disk(const NodeName& node, Kept& kept);

    [[nodiscard]] Result begin(const Request& request) override;
    void interrupt(std::uint32_t bits) override;
    void broken(std::uint32_t queue, virtio::Broken why) override;

    std::uint32_t device_ = 0;
    const char* client_ = "";
    const char* name_ = "";
    virtio::ClientMemory memory_;
    std::span<std::uint8_t> bytes_;
    bool resumed_ = false;  // it went on where an earlier life of this partition ended
    Complaints complaints_;
    std::optional<virtio::Block> block_;
};

}  // namespace partita::parent
