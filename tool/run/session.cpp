#include "run/session.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "partita/console.h"

namespace partita::tool {

namespace {
constexpr auto prompt_silence = std::chrono::milliseconds{100};
constexpr std::size_t most_history = 4u << 20;
constexpr std::size_t longest_line = 4096;  // a guest that never ends its line is cut here
}  // namespace

Session::Session(const Plan& plan, const std::vector<std::string>& until) : plan_(plan) {
    consoles_.push_back({.name = "partita"});
    for (PlannedPartition& partition : plan_.partitions) {
        partition.copies.clear();
        consoles_.push_back({.name = partition.name});
    }
    if (plan_.board != nullptr && plan_.board->monitor) {
        secure_channel_ = static_cast<std::uint32_t>(consoles_.size());
        consoles_.push_back({.name = "secure"});
    }
    for (const std::string& text : until) patterns_.push_back({text, std::regex{text, std::regex::ECMAScript | std::regex::optimize}});
}

std::size_t Session::waiting() const {
    std::size_t count = 0;
    for (const Pattern& pattern : patterns_) count += pattern.seen ? 0 : 1;
    return count;
}

std::string Session::missing() const {
    std::string out;
    for (const Pattern& pattern : patterns_)
        if (!pattern.seen) out += fmt::format("{}'{}'", out.empty() ? "" : ", ", pattern.text);
    return out;
}

std::string Session::take_log() { return std::exchange(log_, {}); }

bool Session::receive(std::uint32_t channel, char byte) {
    if (channel >= consoles_.size()) return false;
    ConsoleText& console = consoles_[channel];
    console.last = std::chrono::steady_clock::now();
    console.lines_since = 0;
    if (channel != PARTITA_CONSOLE_LOG) {
        console.history += byte;
        if (console.history.size() > most_history) console.history.erase(0, most_history / 2);
    }
    if (byte == '\n' || console.partial.size() >= longest_line) end_line(console, channel);
    if (byte != '\n' && byte != '\r') {
        console.partial += byte;
        // A prompt has no end of line: its last character decides.
        if (waiting() != 0 && channel != PARTITA_CONSOLE_LOG && (byte == ' ' || byte == '#' || byte == '$' || byte == ':' || byte == '>'))
            match(fmt::format("[{}] {}", console.name, console.partial));
    }
    return satisfied() || panicked_;
}

// A place of the pool is called what was made there last.
void Session::follow_name(const Fact& fact) {
    const std::uint64_t number = fact.number("partition");
    if (fact.kind != "state" || number >= plan_.partitions.size() || !plan_.partitions[number].is_place()) return;
    PlannedPartition& place = plan_.partitions[number];
    place.name = fact.value("is") == "emptied" ? place.description->name.value : fact.value("name");
    consoles_[PARTITA_CONSOLE_FIRST_PARTITION + number].name = place.name;
}

void Session::end_line(ConsoleText& console, std::uint32_t channel) {
    if (channel != PARTITA_CONSOLE_LOG) {
        match(fmt::format("[{}] {}", console.name, console.partial));
        print(console, console.partial);  // whole, even where its begin was shown already
    } else {
        const Fact fact = parse_fact(console.partial);
        const std::string words = tell(fact, plan_);
        follow_name(fact);
        panicked_ = panicked_ || fact.kind == "panic";
        done_ = done_ || fact.kind == "done";
        log_ += words + "\n";
        console.history += words + "\n";
        match(fmt::format("[{}] {}", console.name, words));
        print(console, words);
    }
    console.partial.clear();
    console.shown = 0;
    if (flush_by_others_) grow_older(console);
}

void Session::show_partial(ConsoleText& console) {
    match(fmt::format("[{}] {}", console.name, console.partial));
    print(console, console.partial.substr(console.shown));
    console.shown = console.partial.size();
}

void Session::grow_older(const ConsoleText& printed) {
    for (ConsoleText& console : consoles_)
        if (&console != &printed && console.partial.size() != console.shown && ++console.lines_since == 2) show_partial(console);
}

void Session::print(ConsoleText& console, const std::string& text) {
    if (!print_) return;
    fmt::print("[{}] {}\n", console.name, text);
    std::fflush(stdout);
}

void Session::match(const std::string& line) {
    for (Pattern& pattern : patterns_)
        if (!pattern.seen && std::regex_search(line, pattern.expression)) pattern.seen = true;
}

void Session::flush(std::chrono::steady_clock::time_point now) {
    for (std::size_t n = 1; n < consoles_.size(); ++n) {
        ConsoleText& console = consoles_[n];
        if (console.partial.size() != console.shown && now - console.last >= prompt_silence) show_partial(console);
    }
}

void Session::flush_all() {
    for (std::size_t n = 1; n < consoles_.size(); ++n)
        if (ConsoleText& console = consoles_[n]; console.partial.size() != console.shown) show_partial(console);
}

}  // namespace partita::tool
