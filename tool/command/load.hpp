// What every command begins with: the description, its board and its plan, or all that is wrong with them.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "board/board.hpp"
#include "config/description.hpp"
#include "pack/pack.hpp"
#include "plan/plan.hpp"

namespace partita::tool {

// A failure that has been put into words already.
struct Failure {
    std::string message;
};

struct Inputs {
    std::string file;
    std::string board;  // overrides the description's
};

// A checked plan, and what it points into.
struct Loaded {
    SystemDescription description;
    Board board;
    Plan plan;
};

// Where boards and built images are: PARTITA_HOME, or the checkout.
[[nodiscard]] std::filesystem::path home();

// Throws a Failure with everything that is wrong.
[[nodiscard]] std::unique_ptr<Loaded> load(const Inputs& inputs);

// With the hypervisor that was built, or PARTITA_HYPERVISOR.
[[nodiscard]] SystemImage build(const Loaded& loaded, const PackOptions& options);

// Both throw a Failure where it cannot be written.
void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
void write_text(const std::string& path, const std::string& text);

}  // namespace partita::tool
