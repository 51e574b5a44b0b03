// A byte ring for one writer and one reader at a time, each under its own lock or on its own CPU.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

namespace partita {

template <std::uint32_t Size>
    requires((Size & (Size - 1)) == 0)
class ByteRing {
public:
    static constexpr std::uint32_t capacity = Size;
    [[nodiscard]] bool empty() const { return count() == 0; }
    [[nodiscard]] bool full() const { return count() == Size; }
    [[nodiscard]] std::uint32_t count() const { return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire); }
    // False, and nothing written, when the ring has no room for all.
    bool put(std::string_view bytes) {
        std::uint32_t tail = tail_.load(std::memory_order_relaxed);
        if (Size - (tail - head_.load(std::memory_order_acquire)) < bytes.size()) return false;
        for (const char byte : bytes) bytes_[tail++ % Size] = static_cast<std::uint8_t>(byte);
        tail_.store(tail, std::memory_order_release);
        return true;
    }
    bool put(std::uint8_t byte) {
        const char c = static_cast<char>(byte);
        return put(std::string_view{&c, 1});
    }
    [[nodiscard]] std::optional<std::uint8_t> take() {
        const std::uint32_t head = head_.load(std::memory_order_relaxed);
        if (tail_.load(std::memory_order_acquire) == head) return std::nullopt;
        const std::uint8_t byte = bytes_[head % Size];
        head_.store(head + 1, std::memory_order_release);
        return byte;
    }
    void clear() { head_.store(tail_.load(std::memory_order_relaxed), std::memory_order_release); }

private:
    std::array<std::uint8_t, Size> bytes_{};
    std::atomic<std::uint32_t> head_{0}, tail_{0};
};

}  // namespace partita
