// A driver of a virtio device, as it works by the standard, on memory of its own: independent of the device's code.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "partita/guest/virtio/console.hpp"

namespace partita {

class FakeDriver {
public:
    static constexpr std::uint32_t base = 0x4000'0000, size = 0x4'0000;
    static constexpr std::uint16_t next = 1, write = 2, indirect = 4;

    struct Buffer {
        std::uint64_t address;
        std::uint32_t size;
        bool writable;
    };
    struct Ring {
        std::uint32_t entries = 0;
        std::uint64_t descriptors = 0, available = 0, used = 0;
        std::uint16_t offered = 0, seen = 0;
        std::uint16_t free = 0;  // the next descriptor
    };

    FakeDriver() : memory_(size) { EXPECT_TRUE(client.add(base, memory_.data(), size)); }

    [[nodiscard]] std::uint8_t* at(std::uint64_t address) { return memory_.data() + (address - base); }
    template <typename Value>
    void put(std::uint64_t address, Value value) {
        std::memcpy(at(address), &value, sizeof value);
    }
    template <typename Value>
    [[nodiscard]] Value get(std::uint64_t address) {
        Value out;
        std::memcpy(&out, at(address), sizeof out);
        return out;
    }
    // Memory that nothing else has.
    std::uint64_t take(std::uint32_t bytes, std::uint32_t align = 16) {
        free_ = (free_ + align - 1) / align * align;
        const std::uint64_t out = free_;
        free_ += bytes;
        EXPECT_LE(free_, base + size);
        return out;
    }
    std::uint64_t text(const std::string& bytes) {
        const std::uint64_t out = take(static_cast<std::uint32_t>(bytes.size()));
        std::memcpy(at(out), bytes.data(), bytes.size());
        return out;
    }

    template <typename Device>
    void begin(Device& device, std::uint64_t features) {
        device.write(0x070, 4, 0);
        device.write(0x070, 4, 3);  // ACKNOWLEDGE, DRIVER
        for (std::uint32_t n = 0; n < 2; ++n) {
            device.write(0x024, 4, n);
            device.write(0x020, 4, static_cast<std::uint32_t>(features >> n * 32));
        }
        device.write(0x070, 4, 11);
    }
    template <typename Device>
    Ring& make_queue(Device& device, std::uint32_t number, std::uint32_t most = 16) {
        device.write(0x030, 4, number);
        Ring& ring = rings[number];
        ring = {};
        ring.entries = std::min(most, device.read(0x034, 4));
        ring.descriptors = take(ring.entries * 16, 16), ring.available = take(6 + ring.entries * 2, 2),
        ring.used = take(6 + ring.entries * 8, 4);
        device.write(0x038, 4, ring.entries);
        std::uint32_t offset = 0x080;
        for (const std::uint64_t part : {ring.descriptors, ring.available, ring.used}) {
            device.write(offset, 4, static_cast<std::uint32_t>(part));
            device.write(offset + 4, 4, static_cast<std::uint32_t>(part >> 32));
            offset += 0x10;
        }
        device.write(0x044, 4, 1);
        return ring;
    }

    void describe(std::uint64_t table, std::uint32_t n, std::uint64_t address, std::uint32_t bytes, std::uint16_t flags,
                  std::uint16_t then) {
        const std::uint64_t entry = table + n * 16;
        put<std::uint64_t>(entry, address);
        put<std::uint32_t>(entry + 8, bytes);
        put<std::uint16_t>(entry + 12, flags);
        put<std::uint16_t>(entry + 14, then);
    }
    void publish(Ring& ring, std::uint16_t head) {
        put<std::uint16_t>(ring.available + 4 + ring.offered % ring.entries * 2, head);
        put<std::uint16_t>(ring.available + 2, ++ring.offered);
    }
    // A chain of buffers: its first descriptor.
    std::uint16_t offer(Ring& ring, const std::vector<Buffer>& buffers) {
        const std::uint16_t head = ring.free;
        for (std::size_t n = 0; n < buffers.size(); ++n) {
            const auto own = static_cast<std::uint16_t>((head + n) % ring.entries),
                       then = static_cast<std::uint16_t>((own + 1) % ring.entries);
            const auto flags = static_cast<std::uint16_t>((buffers[n].writable ? write : 0) | (n + 1 < buffers.size() ? next : 0));
            describe(ring.descriptors, own, buffers[n].address, buffers[n].size, flags, then);
        }
        ring.free = static_cast<std::uint16_t>((head + buffers.size()) % ring.entries);
        publish(ring, head);
        return head;
    }
    struct Done {
        std::uint32_t head, written;
    };
    std::optional<Done> finished(Ring& ring) {
        if (get<std::uint16_t>(ring.used + 2) == ring.seen) return std::nullopt;
        const std::uint64_t entry = ring.used + 4 + ring.seen++ % ring.entries * 8;
        return Done{get<std::uint32_t>(entry), get<std::uint32_t>(entry + 4)};
    }

    virtio::ClientMemory client;
    std::map<std::uint32_t, Ring> rings;

private:
    std::vector<std::uint8_t> memory_;
    std::uint64_t free_ = base;
};

}  // namespace partita
