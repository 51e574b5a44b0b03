#include "command/run_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <regex>

#include "command/load.hpp"

namespace partita::tool {

namespace {

// "" for a regular expression that can be used; else why not.
std::string check_pattern(const std::string& text) {
    try {
        static_cast<void>(std::regex{text, std::regex::ECMAScript});
        return "";
    } catch (const std::regex_error& error) {
        return fmt::format("'{}' is not a regular expression: {}; put a backslash before what is meant literally", text, error.what());
    }
}

// "" for a whole number of seconds above 0; else what is expected.
std::string check_seconds(const std::string& text) {
    std::int64_t seconds = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (failed == std::errc{} && end == text.data() + text.size() && seconds > 0) return "";
    return fmt::format("\"{}\" is not a whole number of seconds above 0", text);
}

}  // namespace

void RunArguments::add_to(CLI::App& command) {
    command.add_option("--until", options.until, "End with success once every such pattern was seen in a line like \"[partition] text\"")
        ->expected(1)
        ->check(check_pattern)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command.add_option("--timeout", timeout, "Give up after this many seconds")->check(check_seconds);
    command.add_option("--socket", options.socket, "Where `partita ps`, `console` and others reach it, instead of a place of its own");
    command.add_flag("--deterministic", options.deterministic, "Count time in instructions: two runs are identical");
    command.add_option("--disk", disks, "A file for a disk of the board, NAME=FILE, instead of an empty one for this run")
        ->expected(1)
        ->check([](const std::string& text) {
            const std::size_t equals = text.find('=');
            const bool good = equals != 0 && equals != std::string::npos && equals + 1 != text.size();
            return good ? std::string{} : fmt::format("\"{}\" is not NAME=FILE, like nvme0=disk.img", text);
        })
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command.add_flag("--qemu-args")->description("All that follows goes to QEMU");
}

void RunArguments::finish() {
    if (timeout > 0) options.timeout = std::chrono::seconds{timeout};
    for (const std::string& disk : disks) options.disks[disk.substr(0, disk.find('='))] = disk.substr(disk.find('=') + 1);
}

std::vector<std::string> take_qemu_arguments(int& argc, char** argv) {
    char** const end = argv + argc;
    char** const mark = std::find(argv, end, std::string_view{"--qemu-args"});
    if (mark == end) return {};
    if (mark + 1 == end) throw Failure{"--qemu-args: nothing follows that could go to QEMU"};
    argc = static_cast<int>(mark - argv) + 1;  // the option itself stays: only `run` has it
    return {mark + 1, end};
}

}  // namespace partita::tool
