#include "run/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace partita::tool {

namespace {

constexpr char prefix_key = 'A' - '@';  // Ctrl-A

void write_all(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

}  // namespace

Terminal::Terminal(Session& session) : session_(session) {
    tcgetattr(0, &saved_);
    raw(true);
    std::string names;
    const auto& consoles = session.consoles();
    for (std::size_t n = 1; n < consoles.size(); ++n) names += fmt::format("  {} {}", n, consoles[n].name);
    notice(fmt::format(
        "Ctrl-A x leaves. Ctrl-A and a number selects a console:{}. Ctrl-A n the next, Ctrl-A b scrolls back, Ctrl-A h helps.", names));
    session.print_lines(false);
    select(1);
}

Terminal::~Terminal() { raw(false); }

void Terminal::raw(bool on) {
    termios mode = saved_;
    if (on) {
        cfmakeraw(&mode);
        mode.c_oflag |= OPOST | ONLCR;
    }
    tcsetattr(0, TCSADRAIN, &mode);
}

void Terminal::notice(const std::string& text) { write_all(fmt::format("\033[7m[partita]\033[0m {}\n", text)); }

void Terminal::show(std::uint32_t channel, char byte) {
    if (channel == focus_) write_all(std::string(1, byte));
}

// A line of the console that has no end yet makes room, and follows behind.
void Terminal::show_log(const std::string& words) {
    const std::string& partial = session_.consoles()[focus_].partial;
    if (!partial.empty()) write_all("\r\033[K");
    std::size_t begin = 0;
    for (std::size_t end = words.find('\n'); end != std::string::npos; begin = end + 1, end = words.find('\n', begin))
        notice(words.substr(begin, end - begin));
    write_all(partial);
}

std::optional<std::string> Terminal::typed(const std::string& keys) {
    std::string out;
    for (const char key : keys) {
        if (prefix_) {
            prefix_ = false;
            if (key == prefix_key)
                out += key;
            else
                command(key);
        } else if (key == prefix_key) {
            prefix_ = true;
        } else {
            out += key;
        }
    }
    if (leaving_) return std::nullopt;
    return out;
}

void Terminal::command(char key) {
    const auto count = static_cast<std::uint32_t>(session_.consoles().size());
    if (key == 'x' || key == 'q') leaving_ = true;
    if (key == 'n') select(focus_ + 1 < count ? focus_ + 1 : 1);
    if (key == 'p') select(focus_ > 1 ? focus_ - 1 : count - 1);
    if (key >= '0' && key <= '9' && static_cast<std::uint32_t>(key - '0') < count) select(static_cast<std::uint32_t>(key - '0'));
    if (key == 'b') scroll_back();
    if (key == 'h' || key == '?')
        notice("Ctrl-A: x leave, n next console, p previous, 1-9 console, 0 log, b scroll back, a send Ctrl-A itself (press Ctrl-A twice)");
}

void Terminal::select(std::uint32_t channel) {
    focus_ = channel;
    const ConsoleText& console = session_.consoles()[channel];
    notice(fmt::format("console of {}", console.name));
    constexpr std::size_t shown_again = 2000;
    const std::size_t begin =
        console.history.size() > shown_again ? console.history.find('\n', console.history.size() - shown_again) + 1 : 0;
    write_all(console.history.substr(begin));
}

// The whole text of the console in the user's pager.
void Terminal::scroll_back() {
    const auto path = std::filesystem::temp_directory_path() / fmt::format("partita-console-{}.txt", getpid());
    std::ofstream{path} << session_.consoles()[focus_].history;
    raw(false);
    const char* const pager = std::getenv("PAGER");
    const std::string command = fmt::format("{} '{}'", pager != nullptr && *pager != 0 ? pager : "less +G", path.string());
    if (std::system(command.c_str()) != 0) notice("no pager: install less, or set PAGER");
    raw(true);
    std::filesystem::remove(path);
}

}  // namespace partita::tool
