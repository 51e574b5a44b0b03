#include "command/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace partita::tool {

namespace fs = std::filesystem;

namespace {

std::string read_text(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    if (!in || fs::is_directory(path))
        throw Failure{fmt::format("{}: error: cannot be read; give the path of a system.toml", path.string())};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// Nothing, and a complaint, where there is no such board.
std::optional<Board> find_board(const Placed<std::string>& name, Diagnostics& diagnostics) {
    const fs::path boards = home() / "boards";
    const auto known = board_names(boards);
    if (std::find(known.begin(), known.end(), name.value) == known.end()) {
        if (!name.value.empty()) diagnostics.error(name.place, fmt::format("no board \"{}\"; {}", name.value, suggest(name.value, known)));
        return std::nullopt;
    }
    auto board = load_board(name.value, boards, PARTITA_BOARD_TREES);
    if (!board) throw Failure{board.error()};
    return *board;
}

Bytes read_bytes(const fs::path& path, const char* remedy) {
    std::ifstream in{path, std::ios::binary};
    if (!in) throw Failure{fmt::format("{} does not exist; {}", path.string(), remedy)};
    return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

fs::path home() {
    const char* const chosen = std::getenv("PARTITA_HOME");
    return chosen != nullptr && *chosen != 0 ? fs::path{chosen} : fs::path{PARTITA_SOURCE_DIR};
}

std::unique_ptr<Loaded> load(const Inputs& inputs) {
    Diagnostics diagnostics{inputs.file};
    auto loaded = std::make_unique<Loaded>();
    const fs::path file{inputs.file};
    loaded->description = read_description(read_text(file), file.parent_path(), diagnostics);
    if (!inputs.board.empty()) {
        const auto known = board_names(home() / "boards");
        if (std::find(known.begin(), known.end(), inputs.board) == known.end())
            throw Failure{fmt::format("--board: no board \"{}\"; {}", inputs.board, suggest(inputs.board, known))};
        loaded->description.board = {inputs.board, {}};
    }
    std::optional<Plan> plan;
    if (auto board = find_board(loaded->description.board, diagnostics)) {
        loaded->board = std::move(*board);
        plan = make_plan(loaded->description, loaded->board, diagnostics);
    } else {
        check_without_board(loaded->description, diagnostics);
    }
    if (!plan)
        throw Failure{diagnostics.text() +
                      fmt::format("{} error{} in {}", diagnostics.count(), diagnostics.count() == 1 ? "" : "s", inputs.file)};
    loaded->plan = std::move(*plan);
    return loaded;
}

SystemImage build(const Loaded& loaded, const PackOptions& options) {
    const auto program = [](const char* variable, const char* built) {
        const char* const chosen = std::getenv(variable);
        return read_bytes(chosen != nullptr && *chosen != 0 ? fs::path{chosen} : home() / built, "build it with ./partita");
    };
    const Bytes hypervisor = program("PARTITA_HYPERVISOR", "build/arm-gcc/hypervisor/hypervisor.elf");
    const Bytes monitor = loaded.plan.monitor_base != 0 ? program("PARTITA_MONITOR", "build/arm-gcc/monitor/monitor.elf") : Bytes{};
    Bytes secure = loaded.plan.secure_program;
    if (loaded.plan.has_secure_partition && secure.empty()) secure = program("PARTITA_SECURE", "build/arm-gcc/secure/secure.elf");
    auto image = pack(loaded.plan, {hypervisor, monitor, secure}, options);
    if (!image) throw Failure{image.error()};
    return *image;
}

void write_file(const fs::path& path, std::span<const std::uint8_t> bytes) {
    std::ofstream out{path, std::ios::binary};
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) throw Failure{fmt::format("cannot write {}; is the folder there, and may you write to it?", path.string())};
}

void write_text(const std::string& path, const std::string& text) {
    write_file(path, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace partita::tool
