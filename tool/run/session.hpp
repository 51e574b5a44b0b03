// A running system: what its consoles say, what is waited for, and how it ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "run/facts.hpp"

namespace partita::tool {

// Why `partita run` ended, as its exit code.
enum class Verdict : int { passed = 0, failed = 1, timed_out = 3, panicked = 4, qemu_died = 5 };

// The text of one channel, cut into lines.
struct ConsoleText {
    std::string name;
    std::string partial{};  // the line that has no end yet
    std::size_t shown = 0;  // bytes of it that were shown
    std::string history{};  // everything, for scroll-back
    std::chrono::steady_clock::time_point last{};
    unsigned lines_since = 0;  // lines that other consoles printed since this one said something
};

class Session {
public:
    Session(const Plan& plan, const std::vector<std::string>& until);

    // A byte of a channel. True once nothing more is to be waited for, or the hypervisor panicked.
    bool receive(std::uint32_t channel, char byte);
    // Shows lines that have waited long enough for their end.
    void flush(std::chrono::steady_clock::time_point now);
    void flush_all();
    // A partial line is shown once others have printed two lines since: a rule that depends on nothing but the output.
    void flush_by_others(bool on) { flush_by_others_ = on; }

    [[nodiscard]] bool satisfied() const { return !patterns_.empty() && waiting() == 0; }
    [[nodiscard]] bool panicked() const { return panicked_; }
    [[nodiscard]] bool done() const { return done_; }
    [[nodiscard]] std::size_t waiting() const;
    [[nodiscard]] std::string missing() const;
    [[nodiscard]] std::vector<ConsoleText>& consoles() { return consoles_; }
    // The channel that the secure world's UART is here, behind those of the board's own; 0: none.
    [[nodiscard]] std::uint32_t secure_channel() const { return secure_channel_; }
    // Whether whole lines are printed as `[partition] text`.
    void print_lines(bool on) { print_ = on; }
    // What the hypervisor's log said, in words, as it comes.
    [[nodiscard]] std::string take_log();

private:
    struct Pattern {
        std::string text;
        std::regex expression;
        bool seen = false;
    };
    void follow_name(const Fact& fact);
    void end_line(ConsoleText& console, std::uint32_t channel);
    void print(ConsoleText& console, const std::string& text);
    void match(const std::string& line);
    void show_partial(ConsoleText& console);
    void grow_older(const ConsoleText& printed);

    Plan plan_;  // without what partitions are filled with
    std::vector<ConsoleText> consoles_;
    std::vector<Pattern> patterns_;
    std::string log_;
    std::uint32_t secure_channel_ = 0;
    bool print_ = true;
    bool flush_by_others_ = false;
    bool panicked_ = false;
    bool done_ = false;
};

}  // namespace partita::tool
