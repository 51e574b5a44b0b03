// The virtio disk of another partition: in memory that this partition's lives leave as it is, or on a disk of this partition's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "memory_disk.hpp"
#include "partita/guest/virtio/block.hpp"
#include "real_disk.hpp"
#include "served_device.hpp"
#include "served_tree.hpp"

namespace partita::parent {

class ServedDisk final : public ServedDevice, public virtio::Disk, public virtio::RequestOwner {
public:
    // As the device tree describes the device of that number. False: it describes none, or one that this cannot serve.
    [[nodiscard]] bool open(std::uint32_t device);
    void serve(std::uint32_t handle, std::uint32_t what, std::uint32_t value) override;
    // The disk's that it lies on.
    void interrupted(std::uint32_t intid) override;
    void enable_interrupts(void (*handler)(std::uint32_t)) const override;
    [[nodiscard]] bool work() override;
    void tell() const override;

private:
    // What is kept of the device: zeros at first.
    struct Kept {
        virtio::BlockState state;
        std::uint32_t filled;  // the disk has what it begins with
    };
    // An access that takes back what requests that are under way use.
    struct Held {
        std::uint32_t handle, what, value;
    };
    [[nodiscard]] bool find_memory_disk(const NodeName& node, Kept& kept);
    void find_range(const NodeName& node);
    void look_up_range(const NodeName& node, RealDisk& disk);
    void refuse(const char* why);
    void access(const Held& access);

    [[nodiscard]] Result begin(const Request& request) override;
    [[nodiscard]] Result begin_in_memory(const Request& request);
    void ended(std::uint32_t tag, Result result) override;
    void interrupt(std::uint32_t bits) override;
    void broken(std::uint32_t queue, virtio::Broken why) override;

    std::uint32_t device_ = 0;
    const char *client_ = nullptr, *name_ = nullptr;
    virtio::ClientMemory memory_;
    MemoryDisk in_memory_;      // either this
    RealDisk* real_ = nullptr;  // or where it lies, from which byte on
    std::uint64_t begin_ = 0;
    virtio::DiskShape shape_;
    // Since this life began: by what was asked for, and what failed of all.
    struct {
        std::uint32_t requests;
        std::uint64_t bytes;
    } counters_[5] = {};
    std::uint32_t failed_ = 0;
    bool resumed_ = false;  // it went on where an earlier life of this partition ended
    std::array<Held, 8> held_{};
    std::uint32_t held_count_ = 0;
    Complaints complaints_;
    std::optional<virtio::Block> block_;
};

}  // namespace partita::parent
