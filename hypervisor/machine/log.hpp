// The hypervisor's log: facts, one a line, `name key=value …`. The host tool tells them in words; a plain terminal shows
// them as they are.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace partita {

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
