// `partita run`: boots a system in QEMU and watches it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "image/kernel.hpp"
#include "plan/plan.hpp"
#include "run/session.hpp"

namespace partita::tool {

struct RunOptions {
    std::vector<std::string> until;  // regular expressions, ECMAScript
    std::optional<std::chrono::seconds> timeout;
    bool deterministic = false;
    std::vector<std::string> qemu_arguments;
};

// image: the system as an ELF file.
[[nodiscard]] Verdict run(const Plan& plan, const Bytes& image, const RunOptions& options);

}  // namespace partita::tool
