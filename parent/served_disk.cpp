#include "served_disk.hpp"

#include <cstring>

#include "partita/guest/guest.h"

namespace partita::parent {

using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

// What it begins with is put there once: an earlier life may have been ended in the middle of it, and is followed by one that begins anew.
bool ServedDisk::find_disk(const NodeName& node, Kept& kept) {
    const Cells disk = cells(node, "partita,disk"), image = cells(node, "partita,image");
    if (disk.count < 2 || (image.count >= 2 && image[1] > disk[1])) return false;
    bytes_ = {static_cast<uint8_t*>(pointer(disk[0])), disk[1]};
    if (kept.filled == 0 && image.count >= 2 && image[0] != disk[0]) std::memcpy(bytes_.data(), pointer(image[0]), image[1]);
    virtio::store<uint32_t>(&kept.filled, 1);
    return true;
}

bool ServedDisk::open(uint32_t device) {
    const NodeName node{device};
    auto* const kept = static_cast<Kept*>(find_state(node, sizeof(Kept)));
    if (!is_compatible(node, "partita,virtio-block") || kept == nullptr || !find_memory(node, memory_) || !find_disk(node, *kept))
        return false;
    device_ = device;
    client_ = text(node, "partita,client");
    name_ = text(node, "partita,name");
    const virtio::DiskShape shape{.sectors = bytes_.size() / virtio::sector_size,
                                  .block_size = 4096,
                                  .read_only = cells(node, "partita,read-only")[0] != 0,
                                  .serial = name_};
    block_.emplace(kept->state, memory_, cells(node, "partita,version")[0], shape, *this);
    return true;
}

void ServedDisk::serve(uint32_t handle, uint32_t what, uint32_t value) {
    serve_access(*block_, handle, what, value, [this](uint32_t) {
        // The first comes with this partition's life, and behind a RELEASE: until then the driver's memory may be another life's.
        if (resumed_) return block_->notified();
        resumed_ = true;
        block_->resume();
    });
}

bool ServedDisk::work() {
    if (block_->is_busy()) block_->notified();
    return block_->is_busy();
}

virtio::Disk::Result ServedDisk::begin(const Request& request) {
    uint8_t* at = bytes_.data() + request.at;
    for (const virtio::Segment& part : request.parts) {
        if (request.action == Action::read)
            std::memcpy(part.at, at, part.size);
        else
            std::memcpy(at, part.at, part.size);
        at += part.size;
    }
    if (request.action == Action::zero) std::memset(at, 0, static_cast<std::size_t>(request.size));
    return Result::ok;
}

void ServedDisk::interrupt(uint32_t bits) { (void)partita_call_raise(device_, bits, 0); }

void ServedDisk::broken(uint32_t queue, virtio::Broken why) {
    if (complaints_.may_say())
        console_printf("server: disk %s of %s stops until its driver resets it: queue %u: %s\n", name_, client_,
                       static_cast<unsigned>(queue), virtio::words_of(why));
}

}  // namespace partita::parent
