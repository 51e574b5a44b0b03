#include "machine/log.hpp"

#include "machine/console.hpp"
#include "machine/lock.hpp"

namespace partita {

namespace {
constinit SpinLock log_lock;  // one line at a time
}

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
    log_lock.lock();
    for (std::uint32_t n = 0; n < used_; ++n) (void)console::put(PARTITA_CONSOLE_LOG, static_cast<std::uint8_t>(text_[n]));
    log_lock.unlock();
    console::pump();
}

}  // namespace partita
