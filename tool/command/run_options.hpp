// The options of the commands that boot a system.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "run/run.hpp"

namespace partita::tool {

// As they were written, until finish() makes `options` of them.
struct RunArguments {
    RunOptions options;
    std::int64_t timeout = 0;  // seconds; 0: none
    std::vector<std::string> disks;

    void add_to(CLI::App& command);
    void finish();
};

// Takes what follows --qemu-args off the command line: it is QEMU's, whatever it looks like. Throws a Failure where nothing follows.
[[nodiscard]] std::vector<std::string> take_qemu_arguments(int& argc, char** argv);

}  // namespace partita::tool
