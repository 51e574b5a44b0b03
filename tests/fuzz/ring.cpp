// The SDK's ring beside a peer that writes anything, at any time, into its own part of the memory: this end reads and writes its own memory
// only, never waits, and gives out no message that it has no room for.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "partita/guest/ring.h"

namespace {

void require(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::uint32_t own_size = 256, other_size = 192, room = 100;
    // Blocks of their own, so that an access beside them is seen.
    std::vector<std::uint32_t> own(own_size / 4), other(other_size / 4);
    ring ring{};
    ring_open(&ring, own.data(), own_size, other.data(), other_size);
    for (std::size_t n = 0; n + 6 <= size; n += 6) {
        std::uint32_t value = 0;
        std::memcpy(&value, data + n + 2, 4);
        const std::uint32_t word = data[n + 1] % (other_size / 4);
        switch (data[n] % 8) {
            case 0: {
                std::vector<std::uint8_t> message(value % 300);
                const int result = ring_send(&ring, message.data(), static_cast<std::uint32_t>(message.size()));
                require(result <= RING_TELL && result >= RING_BROKEN && result != RING_EMPTY, "an answer of ring_send");
                break;
            }
            case 1: {
                std::vector<std::uint8_t> message(room);
                std::uint32_t length = 0;
                const int result = ring_receive(&ring, message.data(), room, &length);
                require(result < 0 || (length != 0 && length <= room), "the length of a message");
                require(result != RING_NOBODY && result != RING_FULL, "an answer of ring_receive");
                break;
            }
            case 2: ring_open(&ring, own.data(), own_size, other.data(), other_size); break;
            case 3: other[word] = value % (2 * (other_size - RING_HEADER)); break;  // a position, mostly
            case 4: other[1] = value % 4; break;                                    // an epoch
            case 5: other[3] = value % 4; break;                                    // ... that it claims to follow
            case 6: other[word] = value % 64; break;                                // a length
            default: other[word] = value; break;
        }
        require(ring.head < 2 * (own_size - RING_HEADER) && ring.tail < 2 * (other_size - RING_HEADER), "a position");
    }
    return 0;
}
