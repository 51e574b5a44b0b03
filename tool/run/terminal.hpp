// The terminal: one console in focus, raw input to it, and Ctrl-A for everything else.
#pragma once

#include <termios.h>

#include <cstdint>
#include <optional>
#include <string>

#include "run/session.hpp"

namespace partita::tool {

class Terminal {
public:
    explicit Terminal(Session& session);
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    // Output of a channel: shown when in focus.
    void show(std::uint32_t channel, char byte);
    void show_log(const std::string& words);
    // Keys that were typed: what is to be sent to the console in focus. Nothing: the user wants to leave.
    [[nodiscard]] std::optional<std::string> typed(const std::string& keys);
    [[nodiscard]] std::uint32_t focus() const { return focus_; }

private:
    void command(char key);
    void select(std::uint32_t channel);
    void scroll_back();
    void notice(const std::string& text);
    void raw(bool on);

    Session& session_;
    termios saved_{};
    std::uint32_t focus_ = 1;
    bool prefix_ = false;
    bool leaving_ = false;
};

}  // namespace partita::tool
