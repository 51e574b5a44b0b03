// The words that act on a running system: the same as commands of `partita` and at the prompt of `partita shell`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "control/client.hpp"

namespace partita::tool {

struct Asked {
    std::vector<std::string> arguments;  // behind the word
    bool json = false;
    bool follow = false;  // events: those that come, too
};

struct Word {
    const char* name;
    const char* arguments;  // as they are written in a usage line
    std::size_t least, most;
    const char* help;
    void (*act)(Client& client, const Asked& asked);  // throws std::runtime_error in words
};

[[nodiscard]] std::span<const Word> words();
// nullptr: there is none.
[[nodiscard]] const Word* find_word(const std::string& name);

// One console of the running system: keys to it, its text from it; Ctrl-A x leaves. Without a terminal, standard input goes to it, and its
// text comes until the system ends.
void attach(Client& client, const std::string& name);

// The prompt, with history and completion.
void shell(Client& client);

}  // namespace partita::tool
