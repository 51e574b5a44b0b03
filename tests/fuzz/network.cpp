// Two virtio network devices on a switch, with drivers that write anything, at any time: each device reads and writes its driver's memory
// only, what a driver gets is a frame from an address that its sender may have, and a reset makes it work again.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "network_switch.hpp"

namespace {

using namespace partita::parent;
using namespace partita::virtio;

constexpr std::uint32_t base = 0x4000'0000, memory_size = 0x4000, entries = 8;

void require(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

class Host final : public NetworkLink, public SwitchPort {
public:
    Host(Switch& on, std::uint8_t n, std::uint32_t version, bool any) : version_(version), mac_{2, 0, 0, 0, 0, n}, any_(any), switch_(on) {
        require(memory_.add(base, bytes.data(), memory_size), "room for its memory");
        number_ = on.add(*this, {.mac = mac_, .any_mac = any, .rate = n == 1 ? 100'000u : 0});
        device.emplace(state, memory_, version, mac_, *this);
    }
    [[nodiscard]] Sent send(const Frame& frame) override {
        require(is_sound(frame), "a frame that is none");
        std::size_t size = 0;
        for (const Segment& part : frame.parts) size += part.size;
        require(size == frame.size, "parts that are not the frame");
        return switch_.send(number_, frame, now += 10) == Switch::Sent::done ? Sent::done : Sent::wait;
    }
    void malformed() override { switch_.malformed(number_); }
    void interrupt(std::uint32_t bits) override { require(bits == 1 || bits == 2, "an interrupt"); }
    void broken(std::uint32_t queue, Broken why) override { require(queue < 2 && why != Broken::no, "what is broken"); }
    [[nodiscard]] bool deliver(const Frame& frame) override {
        std::array<std::uint8_t, 12> addresses{};
        copy(frame, 0, addresses);
        require(addresses[11] != mac_[5] || !std::equal(mac_.begin(), mac_.end() - 1, addresses.begin() + 6),
                "a frame from its own address");
        return device->deliver(frame);
    }
    void delivered() override { device->conclude(); }
    void again() {  // another server
        device.emplace(state, memory_, version_, mac_, *this);
        device->resume();
    }
    void set_up(std::uint32_t features) {
        const auto write = [&](std::uint32_t offset, std::uint32_t value) { device->write(offset, 4, value); };
        write(0x070, 0);
        write(0x070, 3);
        write(0x024, 0);
        write(0x020, 0x3000'0020 | features);
        write(0x024, 1);
        write(0x020, 1);
        write(0x070, 11);
        write(0x028, 256);
        for (std::uint32_t queue = 0; queue < 2; ++queue) {
            const std::uint32_t at = base + queue * 0x400;
            std::fill_n(bytes.begin() + queue * 0x400, 0x400, std::uint8_t{0});
            write(0x030, queue);
            write(0x038, entries);
            write(0x03c, 256);
            if (version_ == 1) write(0x040, at / 256);
            write(0x080, at);
            write(0x090, at + (version_ == 1 ? 0x80 : 0x200));
            write(0x0a0, at + 0x100);
            write(0x044, 1);
        }
        write(0x070, 15);
    }
    // A frame to be sent, or a buffer for one: of what the input says.
    void offer(std::uint32_t queue, const std::uint8_t* step) {
        const std::uint32_t ring = queue * 0x400, index_at = ring + (version_ == 1 ? 0x80u : 0x200u), n = step[1] % entries;
        const std::uint32_t data = 0x800 + (queue * entries + n) * 0x300u;
        const std::uint64_t address = base + data;
        const std::uint32_t size = step[2] * 4u % 0x300u + (queue == 1 ? 20 : 0);
        const std::uint16_t flags = queue == 0 ? 2 : 0;
        put(ring + n * 16, address), put(ring + n * 16 + 8, size), put(ring + n * 16 + 12, flags);
        if (queue == 1) {
            std::memcpy(bytes.data() + data, step + 3, 5);
            const std::uint32_t front = version_ == 1 ? 10 : 12;
            const std::uint8_t addresses[] = {
                static_cast<std::uint8_t>(step[3] % 3 == 0 ? 0xff : 2), 0, 0, 0, 0, step[4], 2, 0, 0, 0, 0, any_ ? step[5] : mac_[5]};
            std::memcpy(bytes.data() + data + front, addresses, sizeof addresses);
            const std::uint8_t ip[] = {8, 0, 0x45};
            std::memcpy(bytes.data() + data + front + 12, ip, sizeof ip);
            bytes[data + front + 23] = 6, bytes[data + front + 46] = 0x50;
        }
        std::uint16_t index = 0;
        std::memcpy(&index, bytes.data() + index_at + 2, 2);
        put(index_at + 4 + index % entries * 2, static_cast<std::uint16_t>(n));
        put(index_at + 2, static_cast<std::uint16_t>(index + 1));
    }
    template <typename Value>
    void put(std::uint32_t at, Value value) {
        std::memcpy(bytes.data() + at, &value, sizeof value);
    }

    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(memory_size);
    NetworkState state{};
    std::optional<Network> device;
    std::uint64_t now = 0;

private:
    std::uint32_t version_;
    MacAddress mac_;
    bool any_;
    Switch& switch_;
    ClientMemory memory_;
    std::uint32_t number_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    Switch on{1000};
    Host one{on, 1, data[0] % 2 + 1u, (data[0] & 2) != 0}, other{on, 2, 2, false};
    constexpr std::uint32_t features = 1u << 0 | 1u << 1 | 1u << 7 | 1u << 8 | 1u << 11 | 1u << 12 | 1u << 15;
    const std::uint32_t chosen = (data[1] | std::uint32_t{data[2]} << 8) & features;
    one.set_up(chosen), other.set_up((data[3] & 1) != 0 ? features : chosen);
    for (std::size_t n = 4; n + 8 <= size; n += 8) {
        Host& host = (data[n] & 1) != 0 ? one : other;
        std::uint32_t value = 0;
        std::uint16_t where = 0;
        std::memcpy(&where, data + n + 2, 2);
        std::memcpy(&value, data + n + 4, 4);
        switch (data[n] / 2 % 12) {
            case 0: host.device->write(where % 0x200, 4, value); break;
            case 1: (void)host.device->read(where % 0x200, 1u << data[n + 1] % 3); break;
            case 2: host.again(); break;
            case 3: host.set_up(features & value); break;
            case 4: host.device->release(); break;
            case 5:
                if (where % memory_size <= memory_size - 4) host.put(where % memory_size, value);
                break;
            case 6:
            case 7: host.offer(0, data + n); break;
            case 8:
            case 9:
                host.offer(1, data + n);
                host.device->notified();
                on.conclude();
                break;
            default:
                host.device->notified();
                on.conclude();
                break;
        }
    }
    one.set_up(0), other.set_up(0);
    require((one.device->read(0x070, 4) & 0xffu) == 15 && (other.device->read(0x070, 4) & 0xffu) == 15, "a reset makes it work again");
    const std::uint8_t buffer[8] = {0, 0, 0xbf}, frame[8] = {0, 0, 20, 0, 0, 0, 0, 0};
    one.offer(0, buffer);
    other.offer(1, frame);
    const std::uint32_t front = 12, at = 0x800 + entries * 0x300u;
    std::fill_n(other.bytes.begin() + at, front, std::uint8_t{0});
    other.device->notified();
    require(one.bytes[0x102] == 1, "a frame arrives");
    return 0;
}
