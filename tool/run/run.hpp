// `partita run`: boots a system in QEMU and watches it.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "image/kernel.hpp"
#include "pack/flash.hpp"
#include "plan/plan.hpp"
#include "run/session.hpp"

namespace partita::tool {

struct RunOptions {
    std::filesystem::path socket;    // where `partita ps` and others reach it; empty: a place of its own
    std::string name = "system";     // of the system, for that place
    std::vector<std::string> until;  // regular expressions, ECMAScript
    std::optional<std::chrono::seconds> timeout;
    bool deterministic = false;
    std::vector<std::string> qemu_arguments;
    std::map<std::string, std::filesystem::path> disks;  // files for the board's disks, by name
    // At the end of the run, this many bytes of the board's memory from this address on go to `dump`.
    std::uint64_t dump_address = 0, dump_size = 0;
    Bytes* dump = nullptr;
};

// The system as an ELF file; or the board's flash.
using Startable = std::variant<Bytes, FlashFiles>;

[[nodiscard]] Verdict run(const Plan& plan, const Startable& image, const RunOptions& options);

}  // namespace partita::tool
