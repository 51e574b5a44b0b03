// The virtio block device with a driver that writes anything, at any time: the device reads and writes the driver's memory and the disk
// only, a disk that can be read only stays as it is, each request that is finished has a status, and a reset makes it work again.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "partita/guest/virtio/block.hpp"

namespace {

using namespace partita::virtio;

constexpr std::uint32_t base = 0x4000'0000, memory_size = 0x2000, entries = 16;
constexpr std::uint32_t available = 0x200, used = 0x300, requests = 0x400;
constexpr std::uint64_t sectors = 8;

void require(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

class FuzzedDisk final : public Disk {
public:
    explicit FuzzedDisk(bool read_only) : read_only_(read_only) {}
    [[nodiscard]] Result begin(const Request& request) override {
        require(request.tag < most_block_requests && request.at % sector_size == 0 && request.size % sector_size == 0, "whole sectors");
        ++begun_;
        if (begun_ % 7 == 0) return Result::full;
        if (begun_ % 3 != 0) return carry_out(request, {request.parts.begin(), request.parts.end()});
        for (const auto& [other, parts] : later_) require(other.tag != request.tag, "a tag of its own");
        later_.emplace_back(request, std::vector<Segment>{request.parts.begin(), request.parts.end()});
        return Result::later;
    }
    // Ends one of those that were to end later, if there is one.
    bool end(Block& block, std::uint32_t which) {
        if (later_.empty()) return false;
        const auto at = later_.begin() + static_cast<std::ptrdiff_t>(which % later_.size());
        const auto [request, parts] = *at;
        later_.erase(at);
        block.finished(request.tag, carry_out(request, parts));
        block.conclude();
        return true;
    }
    void forget() { later_.clear(); }
    void interrupt(std::uint32_t bits) override { require(bits == 1 || bits == 2, "an interrupt"); }
    void broken(std::uint32_t queue, Broken why) override { require(queue == 0 && why != Broken::no, "what is broken"); }

private:
    [[nodiscard]] Result carry_out(const Request& request, const std::vector<Segment>& parts) {
        require(request.size <= data_.size() && request.at <= data_.size() - request.size, "outside of the disk");
        require(!read_only_ || request.action == Action::read, "a disk that can be read only");
        auto at = data_.begin() + static_cast<std::ptrdiff_t>(request.at);
        std::uint64_t total = 0;
        for (const Segment& part : parts) {
            total += part.size;
            require(total <= request.size, "parts that are longer than what is asked for");
            if (request.action == Action::read)
                std::copy_n(at, part.size, part.at);
            else
                std::copy_n(part.at, part.size, at);
            at += part.size;
        }
        const bool moves = request.action == Action::read || request.action == Action::write;
        require(total == (moves ? request.size : 0), "parts that are all of it");
        if (request.action == Action::zero || request.action == Action::discard) std::fill_n(at, request.size, std::uint8_t{0});
        return begun_ % 5 == 0 ? Result::failed : Result::ok;
    }
    std::uint32_t begun_ = 0;
    std::vector<std::pair<Request, std::vector<Segment>>> later_;
    bool read_only_;
    std::vector<std::uint8_t> data_ = std::vector<std::uint8_t>(sectors * sector_size);
};

// As a server does it: what the driver takes back is written once nothing is under way.
void write(Block& block, FuzzedDisk& disk, std::uint32_t offset, std::uint32_t size, std::uint32_t value) {
    if (block.takes_back(offset, size, value)) {
        block.stop();
        while (disk.end(block, 0)) continue;
        require(block.under_way() == 0, "all has ended");
    }
    block.write(offset, size, value);
}

void set_up(Block& block, FuzzedDisk& disk, std::uint32_t version) {
    write(block, disk, 0x070, 4, 0);
    block.write(0x070, 4, 3);
    block.write(0x024, 4, 0);
    block.write(0x020, 4, 0x3000'0000);
    block.write(0x024, 4, 1);
    block.write(0x020, 4, 1);
    block.write(0x070, 4, 11);
    block.write(0x028, 4, 256);
    block.write(0x030, 4, 0);
    block.write(0x038, 4, entries);
    block.write(0x03c, 4, 256);
    if (version == 1) block.write(0x040, 4, base / 256);
    block.write(0x080, 4, base);
    block.write(0x090, 4, base + available);
    block.write(0x0a0, 4, base + used);
    block.write(0x044, 4, 1);
    block.write(0x070, 4, 15);
}

// A request that would do, but for what the input says: header, data, status, in the descriptors from `first` on.
void offer(std::vector<std::uint8_t>& bytes, const std::uint8_t* step) {
    static constexpr std::uint8_t types[] = {0, 1, 4, 8, 11, 13, 0, 1};
    const std::uint32_t first = step[1] % 8, place = requests + first * 0x200;
    const auto put = [&](std::uint32_t at, const auto& value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
    bytes[place] = types[step[2] % 8];
    bytes[place + 8] = step[3];
    const std::uint32_t size = step[4] % 2 == 0 ? 512 : step[4] * 4u;
    const bool device_writes = types[step[2] % 8] % 4 == 0;
    const struct {
        std::uint64_t address;
        std::uint32_t size;
        std::uint16_t flags, next;
    } chain[] = {{base + place, 16, 1, static_cast<std::uint16_t>(first + 1)},
                 {base + place + 16, std::min(size, 0x1f0u - 16), static_cast<std::uint16_t>(device_writes ? 3 : 1),
                  static_cast<std::uint16_t>(first + 2)},
                 {base + place + 0x1f0, 1 + step[5] % 3u, 2, 0}};
    for (std::uint32_t n = 0; n < 3; ++n) put((first + n) * 16, chain[n]);
    std::uint16_t index = 0;
    std::memcpy(&index, bytes.data() + available + 2, 2);
    bytes[available + 4 + index % entries * 2] = static_cast<std::uint8_t>(first);
    bytes[available + 5 + index % entries * 2] = 0;
    ++index;
    put(available + 2, index);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    std::vector<std::uint8_t> bytes(memory_size);
    ClientMemory memory;
    require(memory.add(base, bytes.data(), memory_size), "room for its memory");
    const std::uint32_t version = data[0] % 2 + 1;
    BlockState state{};
    if (data[0] & 2) std::memset(static_cast<void*>(&state), data[1], sizeof state);  // what another server left, by whatever means
    FuzzedDisk disk{(data[0] & 8) != 0};
    const DiskShape shape{.sectors = sectors, .read_only = (data[0] & 8) != 0, .no_discards = (data[0] & 16) != 0, .serial = "fuzzed"};
    std::optional<Block> place{std::in_place, state, memory, version, shape, disk};
    Block& block = *place;
    if (data[0] & 4) set_up(block, disk, version);
    for (std::size_t n = 2; n + 8 <= size; n += 8) {
        std::uint32_t value = 0;
        std::uint16_t where = 0;
        std::memcpy(&where, data + n + 2, 2);
        std::memcpy(&value, data + n + 4, 4);
        switch (data[n] % 12) {
            case 0: write(block, disk, where % 0x200, 4, value); break;
            case 1: write(block, disk, where % 0x200, 1u << data[n + 1] % 3, value); break;
            case 2: (void)block.read(where % 0x200, 1u << data[n + 1] % 3); break;
            case 3: block.notified(); break;
            case 4:  // another server
                disk.forget();
                place.emplace(state, memory, version, shape, disk);
                block.resume();
                break;
            case 5: set_up(block, disk, version); break;
            case 6:
                while (disk.end(block, value)) continue;
                block.release();
                break;
            case 9:
            case 10: (void)disk.end(block, value); break;
            case 7:
            case 8: offer(bytes, data + n); break;
            default:
                if (where % memory_size <= memory_size - 4) std::memcpy(bytes.data() + where % memory_size, &value, 4);
                break;
        }
    }
    std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
    set_up(block, disk, version);
    require((block.read(0x070, 4) & 0xffu) == 15, "a reset makes it work again");
    const std::uint8_t flush[8] = {7, 0, 0, 0, 0, 0, 0, 0};  // a read of the first sector
    bytes[requests + 0x1f0] = 0xee;
    offer(bytes, flush);
    for (int tries = 0; tries < 3; ++tries) {  // the disk may be full, or late
        block.notified();
        (void)disk.end(block, 0);
    }
    require(block.under_way() == 0, "all has ended");
    require(bytes[used + 2] == 1 || version == 1, "a request is finished");
    return 0;
}
