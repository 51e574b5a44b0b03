// The hypervisor's log: facts, one a line, `name key=value …`. The host tool tells them in words; a plain terminal shows
// them as they are.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace partita {

namespace log {

inline constexpr std::uint32_t kept = 8192;  // bytes

// From now on the last `kept` bytes of what is written are kept for a reader too.
void keep();
struct Part {
    std::uint32_t first, bytes;
};
// Bytes are counted from the first that was kept on, and around after 4 GiB. Those from `from` on, or from the oldest that is still there:
// where they begin, and how many fit. Any CPU.
[[nodiscard]] Part read(std::uint32_t from, std::span<char> to);
// Of the one who reads (message/manage.cpp): there is something new. Any CPU, in any place that writes a line.
void tell_reader();

}  // namespace log

// A line that is built piece by piece and sent when it goes out of scope. What does not fit is cut off.
class LogLine {
public:
    explicit LogLine(std::string_view fact) { text(fact); }
    LogLine(const LogLine&) = delete;
    LogLine& operator=(const LogLine&) = delete;
    ~LogLine();

    LogLine& text(std::string_view words);
    LogLine& key(std::string_view name, std::uint32_t value);  // decimal
    LogLine& hex(std::string_view name, std::uint64_t value);
    LogLine& word(std::string_view name, std::string_view value);

private:
    std::array<char, 200> text_{};
    std::uint32_t used_ = 0;
};

// Formats into anything that takes characters: the log line above, or the UART in a panic.
template <typename Sink>
void format_decimal(Sink&& sink, std::uint32_t value) {
    std::array<char, 10> digits{};
    unsigned count = 0;
    do {
        digits[count++] = static_cast<char>('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count != 0) sink(digits[--count]);
}

template <typename Sink>
void format_hex(Sink&& sink, std::uint64_t value) {
    sink('0');
    sink('x');
    int shift = value >> 32 != 0 ? 36 : 28;
    for (; shift >= 0; shift -= 4) sink("0123456789abcdef"[value >> shift & 15u]);
}

}  // namespace partita
