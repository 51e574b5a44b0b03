// The words that act on a running system: the same as commands of `partita` and at the prompt of `partita shell`.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "control/client.hpp"
#include "image/kernel.hpp"

namespace partita::tool {

// What a partition is to run, as a file describes it.
struct GuestToSend {
    Bytes bytes;                                    // a partita_guest, and what belongs to it
    bool pooled = false;                            // it is made in a place of the pool
    std::uint32_t memory = 0, vcpus = 0, cpus = 0;  // as in partita_partition_state
};

// Of the partition of that name in that file. Throws std::runtime_error in words.
using Compile = std::function<GuestToSend(const std::string& file, const std::string& name)>;

struct Asked {
    std::vector<std::string> arguments;  // behind the word
    bool json = false;
    bool follow = false;  // events: those that come, too
    Compile compile{};
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
void shell(Client& client, const Compile& compile);

}  // namespace partita::tool
