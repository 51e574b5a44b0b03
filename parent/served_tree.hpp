// What the device tree says of the devices that this partition serves.
#pragma once

#include <cstdint>

#include "partita/guest/tree.h"
#include "partita/guest/virtio/memory.hpp"

namespace partita::parent {

// "device-N", the node of device N below 100.
struct NodeName {
    char text[10] = "device-";
    explicit NodeName(std::uint32_t n);
};

// Numbers; those behind the last are 0.
struct Cells {
    const std::uint32_t* at = nullptr;
    std::uint32_t count = 0;

    [[nodiscard]] std::uint32_t operator[](std::uint32_t n) const { return n < count ? tree_cell(at + n) : 0; }
    // Of two numbers, the first of which is the upper half.
    [[nodiscard]] std::uint64_t wide(std::uint32_t n) const { return std::uint64_t{(*this)[n]} << 32 | (*this)[n + 1]; }
};
[[nodiscard]] Cells cells(const NodeName& node, const char* property);
// nullptr: there is none.
[[nodiscard]] const char* text(const NodeName& node, const char* property);
[[nodiscard]] bool is_compatible(const NodeName& node, const char* with);

[[nodiscard]] inline void* pointer(std::uint32_t address) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)); }
// The client's memory, as it is seen here. False: it has more parts than there is room for.
[[nodiscard]] bool find_memory(const NodeName& node, virtio::ClientMemory& out);
// Where a device's state is, which this partition's lives leave as it is. nullptr: there is less than that many bytes.
[[nodiscard]] void* find_state(const NodeName& node, std::uint32_t bytes);

// What is said of a driver that means ill: once a second at most, so that it fills no console.
class Complaints {
public:
    [[nodiscard]] bool may_say();

private:
    std::uint64_t said_ = 0;  // when
};

}  // namespace partita::parent
