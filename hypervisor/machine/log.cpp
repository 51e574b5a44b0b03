#include "machine/log.hpp"

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

constinit Guarded<Writer> writer;

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
    writer.with([this](Writer& out) { out.write({text_.data(), used_}); });
    console::pump();
}

}  // namespace partita
