// A page of the other world's memory, for as long as it is looked at.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernel.hpp"

namespace partita::secure {

// Where this CPU's window is: 256 descriptors for all CPUs, of which the first ones are each CPU's own.
void set_window(std::uint32_t cpu, std::uint64_t* descriptors);

// Whether these bytes are RAM of the other world.
[[nodiscard]] bool is_normal_memory(std::uint32_t address, std::uint32_t size);

// Pages of a device of the secure world's own, for good; behind the CPUs' pages. nullptr: there is no room for them.
[[nodiscard]] volatile std::uint32_t* map_device(std::uint32_t address, std::uint32_t size);

// Never executed. One at a time on a CPU, and not for long: no interrupt comes meanwhile.
class Window {
public:
    // address: of a page that is_normal_memory().
    enum class Access { read, write, read_flash };
    Window(std::uint32_t address, Access access);
    ~Window();
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;
    [[nodiscard]] std::byte* data() const { return reinterpret_cast<std::byte*>(at_); }

private:
    Uninterrupted uninterrupted_;
    std::uint32_t at_;
};

}  // namespace partita::secure
