#include "machine/log.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

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
        const std::uint32_t at = end_ % log::kept, size = static_cast<std::uint32_t>(line.size()), first = std::min(size, log::kept - at);
        std::memcpy(bytes_.data() + at, line.data(), first);
        std::memcpy(bytes_.data(), line.data() + first, size - first);
        end_ += size;
        full_ = full_ || end_ >= log::kept;
    }
    [[nodiscard]] log::Part read(std::uint32_t from, std::span<char> to) const {
        const std::uint32_t oldest = full_ ? end_ - log::kept : 0;
        if (end_ - from > end_ - oldest) from = oldest;
        const std::uint32_t bytes = std::min(end_ - from, static_cast<std::uint32_t>(to.size()));
        const std::uint32_t at = from % log::kept, first = std::min(bytes, log::kept - at);
        std::memcpy(to.data(), bytes_.data() + at, first);
        std::memcpy(to.data() + first, bytes_.data(), bytes - first);
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
