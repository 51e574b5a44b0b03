#include "machine/log.hpp"

#include <algorithm>
#include <atomic>

#include "machine/console.hpp"
#include "machine/lock.hpp"

namespace partita {

namespace {

// Lines are written whole, one at a time. What finds no room is counted, and told with the next line that does.
class Writer {
public:
    void write(std::string_view line) {
        constexpr std::uint32_t most_of_lost = 24;  // "lost lines=4294967295\n"
        if (console::room(PARTITA_CONSOLE_LOG) < line.size() + most_of_lost) {
            ++lost_;
            return;
        }
        if (lost_ != 0) {
            put("lost lines=");
            format_decimal([](char c) { put({&c, 1}); }, lost_);
            put("\n");
            lost_ = 0;
        }
        put(line);
    }

private:
    static void put(std::string_view text) { (void)console::put(PARTITA_CONSOLE_LOG, text); }
    std::uint32_t lost_ = 0;
};

// For the parent partition, through its lives.
class Keeper {
public:
    void write(std::string_view line) {
        for (const char c : line) bytes_[end_++ % log::kept] = c;
        if (full_ || end_ < log::kept) return;
        full_ = true;
    }
    [[nodiscard]] log::Part read(std::uint32_t from, std::span<char> to) const {
        const std::uint32_t oldest = full_ ? end_ - log::kept : 0;
        if (end_ - from > end_ - oldest) from = oldest;
        const std::uint32_t bytes = std::min(end_ - from, static_cast<std::uint32_t>(to.size()));
        for (std::uint32_t n = 0; n < bytes; ++n) to[n] = bytes_[(from + n) % log::kept];
        return {from, bytes};
    }

private:
    std::array<char, log::kept> bytes_{};
    std::uint32_t end_ = 0;
    bool full_ = false;
};
static_assert((log::kept & (log::kept - 1)) == 0);

constinit Guarded<Writer> writer;
constinit Guarded<Keeper> keeper;
constinit std::atomic<bool> keeps{false};

}  // namespace

LogLine& LogLine::text(std::string_view words) {
    for (const char c : words)
        if (used_ + 1 < text_.size()) text_[used_++] = c;
    return *this;
}

LogLine& LogLine::key(std::string_view name, std::uint32_t value) {
    text(" ").text(name).text("=");
    format_decimal([this](char c) { text({&c, 1}); }, value);
    return *this;
}

LogLine& LogLine::hex(std::string_view name, std::uint64_t value) {
    text(" ").text(name).text("=");
    format_hex([this](char c) { text({&c, 1}); }, value);
    return *this;
}

LogLine& LogLine::word(std::string_view name, std::string_view value) { return text(" ").text(name).text("=").text(value); }

LogLine::~LogLine() {
    text_[used_++] = '\n';
    const std::string_view line{text_.data(), used_};
    writer.with([line](Writer& out) { out.write(line); });
    if (keeps.load(std::memory_order_relaxed)) {
        keeper.with([line](Keeper& out) { out.write(line); });
        log::tell_reader();
    }
    console::pump();
}

void log::keep() { keeps.store(true, std::memory_order_relaxed); }

log::Part log::read(std::uint32_t from, std::span<char> to) {
    return keeper.with([from, to](const Keeper& of) { return of.read(from, to); });
}

}  // namespace partita
