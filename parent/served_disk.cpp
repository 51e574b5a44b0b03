#include "served_disk.hpp"

#include <cstring>
#include <iterator>

#include "partita/guest/guest.h"
#include "pci_lines.hpp"

namespace partita::parent {

using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

// What it begins with is put there once: an earlier life may have been ended in the middle of it, and is followed by one that begins anew.
// Where there is room for changes alone, it stays where it is.
bool ServedDisk::find_memory_disk(const NodeName& node, Kept& kept) {
    const Cells disk = cells(node, "partita,disk"), image = cells(node, "partita,image"), changes = cells(node, "partita,changes");
    if (disk.count < 2 || (image.count >= 2 && image[1] > disk[1])) return false;
    auto* const at = static_cast<uint8_t*>(pointer(disk[0]));
    if (changes.count != 0) {
        const uint32_t pages = (image[1] + MemoryDisk::block_size - 1) / MemoryDisk::block_size;  // behind it there are zeros
        const std::span<uint8_t> memory{at, static_cast<std::size_t>(MemoryDisk::kept_size(disk[1], changes[0]))};
        in_memory_.open({static_cast<const uint8_t*>(pointer(image[0])), pages * MemoryDisk::block_size}, memory, disk[1], changes[0]);
    } else {
        in_memory_.open({at, disk[1]});
        if (kept.filled == 0 && image.count >= 2 && image[0] != disk[0]) std::memcpy(at, pointer(image[0]), image[1]);
        virtio::store<uint32_t>(&kept.filled, 1);
    }
    shape_.sectors = in_memory_.size() / virtio::sector_size;
    shape_.block_size = MemoryDisk::block_size;
    return true;
}

// What cannot be served is told, and the driver finds no device.
void ServedDisk::refuse(const char* why) {
    console_printf("server: %s has no disk %s: %s\n", client_, name_, why);
    real_ = nullptr;
    shape_.sectors = 0;
}

void ServedDisk::find_range(const NodeName& node) {
    const char* const on = text(node, "partita,on");
    real_ = RealDisk::find(cells(node, "partita,function")[0], on);
    if (real_ == nullptr) return refuse(on);
    look_up_range(node, *real_);
}

namespace {

class Reader final : public DiskReader {
public:
    explicit Reader(virtio::BlockDriver& driver) : driver_(driver) {}
    [[nodiscard]] bool read(uint64_t at, std::span<uint8_t> to) override { return driver_.read_now(at, to); }

private:
    virtio::BlockDriver& driver_;
};

}  // namespace

// All of the disk, where nothing says which part of it.
void ServedDisk::look_up_range(const NodeName& node, RealDisk& disk) {
    const Cells range = cells(node, "partita,range");
    const char* const gpt = text(node, "partita,gpt-name");
    uint64_t first = 0, count = disk.driver().sectors();
    if (range.count == 4) first = range.wide(0), count = range.wide(2);
    if (gpt != nullptr) {
        Reader reader{disk.driver()};
        const GptResult found = find_gpt_partition(reader, disk.driver().sectors(), gpt);
        if (found.problem != GptResult::Problem::none) return refuse(words_of(found.problem));
        first = found.sector, count = found.sectors;
    }
    if (const char* const why = disk.add(first, count, shape_.read_only); why != nullptr) return refuse(why);
    begin_ = first * virtio::sector_size;
    shape_.sectors = count;
    shape_.block_size = disk.driver().block_size();
    shape_.no_discards = !disk.driver().discards(), shape_.no_zeroes = !disk.driver().zeroes();
}

bool ServedDisk::open(uint32_t device) {
    const NodeName node{device};
    auto* const kept = static_cast<Kept*>(find_state(node, sizeof(Kept)));
    if (!is_compatible(node, "partita,virtio-block") || kept == nullptr || !find_memory(node, memory_)) return false;
    device_ = device;
    client_ = text(node, "partita,client");
    shape_.serial = name_ = text(node, "partita,name");
    shape_.read_only = cells(node, "partita,read-only")[0] != 0;
    if (text(node, "partita,on") != nullptr)
        find_range(node);
    else if (!find_memory_disk(node, *kept))
        return false;
    block_.emplace(kept->state, memory_, cells(node, "partita,version")[0], shape_, *this);
    return true;
}

// A driver whose partition has ended waits for nothing any more.
void ServedDisk::serve(uint32_t handle, uint32_t what, uint32_t value) {
    const bool release = what >> 28 == PARTITA_ASK_RELEASE;
    const bool takes_back = release || (what >> 28 == PARTITA_ASK_WRITE && block_->takes_back(what & 0xfffu, what >> 16 & 0xfu, value));
    if (!takes_back || block_->under_way() == 0) return access({handle, what, value});
    block_->stop();
    if (release) held_count_ = 0;
    if (held_count_ < held_.size()) held_[held_count_++] = {handle, what, value};
}

void ServedDisk::access(const Held& access) {
    serve_access(*block_, access.handle, access.what, access.value, [this](uint32_t) {
        // The first comes with this partition's life, and behind a RELEASE: until then the driver's memory may be another life's.
        if (resumed_) return block_->notified();
        resumed_ = true;
        block_->resume();
    });
    if (real_ != nullptr) real_->driver().commit();
}

void ServedDisk::interrupted(uint32_t intid) {
    if (real_ == nullptr || real_->driver().device().interrupt() != intid) return;
    real_->driver().finish();  // of all who lie on it; each looks after its own
    block_->conclude();
    if (block_->under_way() == 0)
        for (; held_count_ != 0; --held_count_) access(held_[held_count_ - 1]);
    if (block_->waits_for_room()) block_->notified();
    real_->driver().commit();
}

void ServedDisk::enable_interrupts(void (*handler)(uint32_t)) const {
    if (real_ != nullptr) enable_lines(handler);
}

bool ServedDisk::work() {
    if (!block_->is_busy()) return false;
    block_->notified();
    if (real_ != nullptr) real_->driver().commit();
    return block_->is_busy();
}

virtio::Disk::Result ServedDisk::begin(const Request& request) {
    if (real_ != nullptr && block_->under_way() >= real_->share()) return Result::full;
    Request there = request;
    there.at += begin_;
    const Result result = real_ == nullptr ? begin_in_memory(request) : real_->driver().begin(there, *this);
    if (result == Result::full) return result;
    auto& counter = counters_[static_cast<std::size_t>(request.action)];
    ++counter.requests, counter.bytes += request.size;
    if (result == Result::failed) ++failed_;
    return result;
}

void ServedDisk::ended(uint32_t tag, Result result) {
    if (result != Result::ok) ++failed_;
    block_->finished(tag, result);
}

void ServedDisk::tell() const {
    static constexpr const char* names[] = {"reads", "writes", "flushes", "zeroes", "discards"};
    console_printf("server: disk %s of %s:", name_, client_);
    for (std::size_t n = 0; n < std::size(names); ++n)
        if (counters_[n].requests != 0)
            console_printf(" %u %s (%llu KiB),", static_cast<unsigned>(counters_[n].requests), names[n],
                           static_cast<unsigned long long>(counters_[n].bytes / 1024));
    if (in_memory_.copies())
        console_printf(" %u KiB left for changes,", static_cast<unsigned>(in_memory_.room() * (MemoryDisk::block_size / 1024)));
    console_printf(" %u failed\n", static_cast<unsigned>(failed_));
}

virtio::Disk::Result ServedDisk::begin_in_memory(const Request& request) {
    if ((request.action == Action::write || request.action == Action::zero) && !in_memory_.has_room(request.at, request.size)) {
        if (complaints_.may_say())
            console_printf("server: disk %s of %s has no more room for changes: what is written to other places fails\n", name_, client_);
        return Result::failed;
    }
    uint64_t at = request.at;
    for (const virtio::Segment& part : request.parts) {
        if (request.action == Action::read)
            in_memory_.read(at, {part.at, part.size});
        else
            in_memory_.write(at, {part.at, part.size});
        at += part.size;
    }
    if (request.action == Action::zero) in_memory_.zero(at, request.size);
    if (request.action == Action::discard) in_memory_.discard(at, request.size);
    return Result::ok;
}

void ServedDisk::interrupt(uint32_t bits) { (void)partita_call_raise(device_, bits, 0); }

void ServedDisk::broken(uint32_t queue, virtio::Broken why) {
    if (complaints_.may_say())
        console_printf("server: disk %s of %s stops until its driver resets it: queue %u: %s\n", name_, client_,
                       static_cast<unsigned>(queue), virtio::words_of(why));
}

}  // namespace partita::parent
