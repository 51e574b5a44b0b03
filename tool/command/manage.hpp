// The commands that act on a running system.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "control/words.hpp"

namespace partita::tool {

struct ManageArguments {
    std::string system;  // a socket, a serial device, or nothing: the only system that runs
    Asked asked;

    // Adds `partita ps` and the others, and `partita shell`.
    void add_to(CLI::App& app);
};

}  // namespace partita::tool
