#include <fmt/format.h>
#include <histedit.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "control/words.hpp"

namespace partita::tool {

namespace fs = std::filesystem;

namespace {

[[nodiscard]] fs::path history_file() {
    const char* const state = std::getenv("XDG_STATE_HOME");
    const char* const home = std::getenv("HOME");
    if (state != nullptr && *state != 0) return fs::path{state} / "partita" / "history";
    return home != nullptr && *home != 0 ? fs::path{home} / ".local/state/partita/history" : fs::path{};
}

[[nodiscard]] std::vector<std::string> cut(const std::string& line) {
    std::istringstream in{line};
    std::vector<std::string> out;
    for (std::string word; in >> word;) out.push_back(word);
    return out;
}

void help() {
    for (const Word& word : words()) fmt::print("  {:<20} {}\n", fmt::format("{} {}", word.name, word.arguments), word.help);
    fmt::print("  {:<20} {}\n  {:<20} {}\n", "help", "This list", "exit", "Leave; so does Ctrl-D");
}

// False: the user leaves.
bool carry_out(Client& client, const Compile& compile, const std::string& line) {
    const std::vector<std::string> parts = cut(line);
    if (parts.empty()) return true;
    const std::string& name = parts[0];
    if (name == "exit" || name == "quit") return false;
    if (name == "help") {
        help();
        return true;
    }
    Asked asked;
    asked.compile = compile;
    for (std::size_t n = 1; n < parts.size(); ++n) {
        if (parts[n] == "--json")
            asked.json = true;
        else if (parts[n] == "--follow")
            asked.follow = true;
        else
            asked.arguments.push_back(parts[n]);
    }
    const Word* const word = find_word(name);
    if (word == nullptr) {
        fmt::print("there is no word \"{}\"; help lists them\n", name);
    } else if (asked.arguments.size() < word->least || asked.arguments.size() > word->most) {
        fmt::print("it is: {} {}\n", word->name, word->arguments);
    } else {
        try {
            word->act(client, asked);
        } catch (const std::runtime_error& error) {
            fmt::print("{}\n", error.what());
        }
    }
    return true;
}

// The line that is edited, of libedit.
class Prompt {
public:
    explicit Prompt(Client& client)
        : client_(client), file_(history_file()), edit_(el_init("partita", stdin, stdout, stderr)), history_(history_init()) {
        HistEvent event{};
        history(history_, &event, H_SETSIZE, 500);
        history(history_, &event, H_SETUNIQUE, 1);
        std::error_code ignored;
        if (!file_.empty()) fs::create_directories(file_.parent_path(), ignored);
        if (!file_.empty()) history(history_, &event, H_LOAD, file_.c_str());
        el_set(edit_, EL_CLIENTDATA, this);
        el_set(edit_, EL_PROMPT, +[](EditLine*) -> const char* { return "partita> "; });
        el_set(edit_, EL_EDITOR, "emacs");
        el_set(edit_, EL_HIST, history, history_);
        el_set(edit_, EL_SIGNAL, 1);
        el_set(edit_, EL_ADDFN, "complete", "Completes a word or a partition's name", &Prompt::complete);
        el_set(edit_, EL_BIND, "^I", "complete", nullptr);
    }
    ~Prompt() {
        HistEvent event{};
        if (!file_.empty()) history(history_, &event, H_SAVE, file_.c_str());
        history_end(history_);
        el_end(edit_);
    }
    Prompt(const Prompt&) = delete;
    Prompt& operator=(const Prompt&) = delete;

    // False at the end of input.
    bool next(std::string& line) {
        int count = 0;
        const char* const text = el_gets(edit_, &count);
        if (text == nullptr || count <= 0) return false;
        line.assign(text, static_cast<std::size_t>(count));
        while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
        HistEvent event{};
        if (!line.empty()) history(history_, &event, H_ENTER, line.c_str());
        return true;
    }

private:
    [[nodiscard]] std::vector<std::string> candidates(bool first) {
        std::vector<std::string> out;
        if (!first) {
            for (const RunningPartition& one : client_.partitions()) out.push_back(one.name());
            return out;
        }
        for (const Word& word : words()) out.emplace_back(word.name);
        out.emplace_back("help");
        out.emplace_back("exit");
        return out;
    }

    static unsigned char complete(EditLine* edit, int) {
        void* self = nullptr;
        el_get(edit, EL_CLIENTDATA, &self);
        const LineInfo* const line = el_line(edit);
        const std::string before{line->buffer, line->cursor};
        const std::size_t blank = before.find_last_of(' ');
        const std::string begun = blank == std::string::npos ? before : before.substr(blank + 1);
        std::vector<std::string> fit;
        try {
            for (const std::string& one : static_cast<Prompt*>(self)->candidates(blank == std::string::npos))
                if (one.starts_with(begun)) fit.push_back(one);
        } catch (const std::runtime_error&) {
            return CC_ERROR;  // nobody answers: the line itself will say so
        }
        if (fit.empty()) return CC_ERROR;
        std::string common = fit[0];
        for (const std::string& one : fit)
            while (!one.starts_with(common)) common.pop_back();
        std::string rest = common.substr(begun.size());
        if (fit.size() == 1) rest += ' ';
        if (!rest.empty()) return el_insertstr(edit, rest.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
        fmt::print("\n{}\n", fmt::join(fit, "  "));
        return CC_REDISPLAY;
    }

    Client& client_;
    fs::path file_;
    EditLine* edit_;
    History* history_;
};

}  // namespace

void shell(Client& client, const Compile& compile) {
    std::string line;
    if (isatty(0) == 0) {  // a script
        while (std::getline(std::cin, line) && carry_out(client, compile, line)) {
        }
        return;
    }
    Prompt prompt{client};
    while (prompt.next(line) && carry_out(client, compile, line)) {
    }
}

}  // namespace partita::tool
