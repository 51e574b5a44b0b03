#include "run/qemu.hpp"

#include <fmt/format.h>

#include "config/units.hpp"

namespace partita::tool {

std::vector<std::string> qemu_command(const Board& board, const std::filesystem::path& image, const QemuOptions& options) {
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
                                 "chardev:uart",
                                 "-kernel",
                                 image.string()};
    // 2 ns for an instruction: 500 million in a second of the guests' time.
    if (options.deterministic) out.insert(out.end(), {"-icount", "shift=1,sleep=off", "-rtc", "clock=vm,base=2026-01-01"});
    out.insert(out.end(), options.more.begin(), options.more.end());
    return out;
}

}  // namespace partita::tool
