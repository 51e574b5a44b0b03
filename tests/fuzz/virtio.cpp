// The virtio console, and RPMsg, with a driver that writes anything, at any time, into its memory and into the registers: the device reads
// and writes that memory only, comes to an end each time, and a reset makes it work again.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "partita/guest/virtio/console.hpp"
#include "partita/guest/virtio/rpmsg.hpp"

namespace {

using namespace partita::virtio;

constexpr std::uint32_t base = 0x4000'0000, memory_size = 0x3000;

void require(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

class Link final : public PortLink {
public:
    [[nodiscard]] std::span<std::uint8_t> page() override { return page_; }
    [[nodiscard]] Sent send(std::uint32_t port, std::uint32_t size) override {
        require(port == 1 && size <= 64, "a message to be sent");
        return ++sent_ % 5 == 0 ? Sent::full : Sent::done;
    }
    [[nodiscard]] std::optional<std::uint32_t> receive(std::uint32_t port) override {
        require(port != 1, "a port to receive by");
        return ++received_ % 3 == 0 ? std::nullopt : std::optional<std::uint32_t>{received_ % 65 % (port == 2 ? 9 : 65)};
    }
    [[nodiscard]] bool connected(std::uint32_t port) override { return (++asked_ + port) % 2 == 0; }
    void interrupt(std::uint32_t bits) override { require(bits == 1 || bits == 2, "an interrupt"); }
    void too_long(std::uint32_t port) override { require(port == 1, "a port that is written to"); }
    void broken(std::uint32_t queue, Broken why) override { require(queue < most_queues && why != Broken::no, "what is broken"); }

private:
    std::vector<std::uint8_t> page_ = std::vector<std::uint8_t>(64);  // an access beside it is seen
    std::uint32_t sent_ = 0, received_ = 0, asked_ = 0;
};

// A driver that has come as far as to use its queues: most of what is interesting is behind that.
template <typename Device>
void set_up(Device& console, std::uint32_t version) {
    console.write(0x070, 4, 0);
    console.write(0x070, 4, 3);
    console.write(0x024, 4, 0);
    console.write(0x020, 4, 0x3000'0000 | static_cast<std::uint32_t>(console.features()));
    console.write(0x024, 4, 1);
    console.write(0x020, 4, 1);
    console.write(0x070, 4, 11);
    console.write(0x028, 4, 64);
    for (std::uint32_t queue = 0; queue < 8; ++queue) {
        const std::uint32_t at = base + queue * 0x200;
        console.write(0x030, 4, queue);
        console.write(0x038, 4, 8);
        console.write(0x03c, 4, 4);
        if (version == 1) console.write(0x040, 4, at / 64);
        console.write(0x080, 4, at);
        console.write(0x090, 4, at + 0x80);
        console.write(0x0a0, 4, at + 0xa0);
        console.write(0x044, 4, 1);
    }
    console.write(0x070, 4, 15);
}

template <typename Device, typename State>
void run(std::span<const Port> ports, const std::uint8_t* data, std::size_t size) {
    std::vector<std::uint8_t> bytes(memory_size);
    ClientMemory memory;
    require(memory.add(base, bytes.data(), memory_size), "room for its memory");
    const std::uint32_t version = data[0] % 2 + 1;
    State state{};
    if (data[0] & 2) std::memset(static_cast<void*>(&state), data[1], sizeof state);  // what another server left, by whatever means
    Link link;
    Device console{state, memory, version, ports, link};
    if (data[0] & 4) set_up(console, version);
    for (std::size_t n = 2; n + 8 <= size; n += 8) {
        std::uint32_t value = 0;
        std::uint16_t where = 0;
        std::memcpy(&where, data + n + 2, 2);
        std::memcpy(&value, data + n + 4, 4);
        switch (data[n] % 12) {
            case 0: console.write(where % 0x200, 4, value); break;
            case 1: console.write(where % 0x200, 1u << data[n + 1] % 3, value); break;
            case 2: (void)console.read(where % 0x200, 1u << data[n + 1] % 3); break;
            case 3: console.notified(value); break;
            case 4: console.port_changed(data[n + 1]); break;
            case 5: console.resume(); break;
            case 6: set_up(console, version); break;
            case 7: console.release(); break;
            case 8: {  // a descriptor
                const std::uint32_t at = data[n + 1] % 8 * 0x200 + where % 8 * 16;
                const std::uint32_t address = base + value % (memory_size + 64);
                std::memcpy(bytes.data() + at, &address, 4);
                bytes[at + 8] = static_cast<std::uint8_t>(value >> 16);
                bytes[at + 12] = static_cast<std::uint8_t>(value >> 24 & 7u);
                bytes[at + 14] = static_cast<std::uint8_t>(where >> 4 & 15u);
                break;
            }
            case 9: {  // one more chain
                const std::uint32_t ring = data[n + 1] % 8 * 0x200 + 0x80;
                const std::uint16_t index = static_cast<std::uint16_t>(bytes[ring + 2] | bytes[ring + 3] << 8), next = index + 1;
                bytes[ring + 4 + index % 8 * 2] = static_cast<std::uint8_t>(value % 9);
                bytes[ring + 5 + index % 8 * 2] = 0;
                std::memcpy(bytes.data() + ring + 2, &next, 2);
                break;
            }
            case 10: bytes[where % memory_size] = static_cast<std::uint8_t>(value); break;
            default:
                if (where % memory_size <= memory_size - 4) std::memcpy(bytes.data() + where % memory_size, &value, 4);
                break;
        }
    }
    std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
    set_up(console, version);
    require((console.read(0x070, 4) & 0xffu) == 15, "a reset makes it work again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static constexpr Port ports[] = {{"in", false, false, 64}, {"out", true, false, 64}, {"value", false, true, 8}};
    if (size < 2) return 0;
    if (data[0] & 8)
        run<Rpmsg, RpmsgState>(std::span{ports}.first(2), data, size);
    else
        run<Console, ConsoleState>(ports, data, size);
    return 0;
}
