#include "run/qemu.hpp"

#include <fmt/format.h>

#include <sstream>
#include <string_view>

#include "config/units.hpp"

namespace partita::tool {

std::vector<std::string> qemu_command(const Board& board, const std::vector<std::string>& image, const QemuOptions& options) {
    const auto memory = parse_size(board.qemu.memory);
    std::string machine = board.qemu.machine;
    if (options.deterministic) machine += ",dtb-randomness=off";
    std::vector<std::string> out{"qemu-system-arm",
                                 "-M",
                                 machine,
                                 "-cpu",
                                 board.qemu.cpu,
                                 "-smp",
                                 std::to_string(board.qemu.cpus),
                                 "-m",
                                 fmt::format("{}M", memory.value_or(1u << 30) >> 20),
                                 "-display",
                                 "none",
                                 "-monitor",
                                 "none",
                                 "-nic",
                                 "none",
                                 "-no-reboot",
                                 "-chardev",
                                 "stdio,id=uart,signal=off",
                                 "-serial",
                                 "chardev:uart"};
    out.insert(out.end(), image.begin(), image.end());
    // 2 ns for an instruction: 500 million in a second of the guests' time.
    if (options.deterministic) out.insert(out.end(), {"-icount", "shift=1,sleep=off", "-rtc", "clock=vm,base=2026-01-01"});
    out.insert(out.end(), options.more.begin(), options.more.end());
    return out;
}

std::vector<std::string> image_argument(const std::filesystem::path& elf) { return {"-kernel", elf.string()}; }

namespace {
constexpr std::string_view awake = "awake";  // a character device that nobody is at
}

// A CPU's write to flash waits for the file, and takes what should wake QEMU's main loop meanwhile: a timer that was just set is not seen
// then. Something that QEMU tries again and again bounds how long.
std::vector<std::string> image_argument(const FlashFiles& files, const std::filesystem::path& folder) {
    const auto drive = [](int unit, const std::filesystem::path& file) {
        return fmt::format("if=pflash,unit={},format=raw,file={}", unit, file.string());
    };
    return {"-drive",   drive(0, files.secure),
            "-drive",   drive(1, files.system),
            "-chardev", fmt::format("socket,id={},path={},reconnect-ms=20", awake, (folder / "nobody").string())};
}

std::string complaints_in(const std::string& errors) {
    std::string out, line;
    for (std::istringstream lines{errors}; std::getline(lines, line);)
        if (line.find(fmt::format("character device {}:", awake)) == std::string::npos) out += line + '\n';
    return out;
}

}  // namespace partita::tool
