#include "board/board.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "board/monitor.hpp"
#include "board/pci.hpp"
#include "board/tree.hpp"
#include "config/toml.hpp"
#include "config/units.hpp"

namespace partita::tool {

namespace {

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// Whether a device reads and writes memory by itself.
bool masters_bus(const Tree& tree, int node) {
    for (const char* const property : {"dma-coherent", "dma-ranges", "dmas", "iommus", "interrupt-map"})
        if (tree.has(node, property)) return true;
    return false;
}

// By what the System MMU knows a device of the board: <&smmu stream>.
std::optional<std::uint32_t> stream_of(const Tree& tree, int node) {
    const auto cells = tree.cells(node, "iommus");
    if (cells.size() != 2 || !tree.is(fdt_node_offset_by_phandle(tree.fdt(), cells[0]), "arm,smmu-v3")) return std::nullopt;
    return cells[1];
}

// What a device depends on beside clocks, which a partition has as fixed ones.
std::vector<std::string> needs_of(const Tree& tree, int node) {
    std::vector<std::string> out;
    for (const char* const property : {"resets", "power-domains", "pinctrl-0", "phys", "dmas", "mboxes", "hwlocks"}) {
        const auto cells = tree.cells(node, property);
        if (cells.empty()) continue;
        const int target = fdt_node_offset_by_phandle(tree.fdt(), cells[0]);
        out.push_back(fmt::format("{} ({})", property, target >= 0 ? tree.path(target) : "a node that is not there"));
    }
    return out;
}

void read_smmu(const Tree& tree, int node, Board& board) {
    board.smmu = tree.registers(node)[0];
    if (const auto interrupts = tree.interrupts(node); !interrupts.empty()) board.smmu_interrupt = interrupts[0].intid;
}

void read_messages(const Tree& tree, int node, Board& board) {
    const auto first = tree.cells(node, "arm,msi-base-spi"), count = tree.cells(node, "arm,msi-num-spis");
    if (first.empty() || count.empty()) return;
    board.messages = MessageFrame{tree.path(node), tree.registers(node)[0], first[0], count[0]};
}

void read_cpus(const Tree& tree, Board& board) {
    const int cpus = fdt_path_offset(tree.fdt(), "/cpus");
    int node = 0;
    fdt_for_each_subnode(node, tree.fdt(), cpus) {
        const char* const type = static_cast<const char*>(fdt_getprop(tree.fdt(), node, "device_type", nullptr));
        if (type == nullptr || std::string_view{type} != "cpu") continue;
        if (const auto reg = tree.cells(node, "reg"); !reg.empty()) board.cpus.push_back(reg.back());
    }
}

void read_nodes(const Tree& tree, Board& board, const std::string& console) {
    for (int node = fdt_next_node(tree.fdt(), -1, nullptr); node >= 0; node = fdt_next_node(tree.fdt(), node, nullptr)) {
        const char* const type = static_cast<const char*>(fdt_getprop(tree.fdt(), node, "device_type", nullptr));
        const auto registers = tree.registers(node);
        if (type != nullptr && std::string_view{type} == "memory") {
            board.memory.insert(board.memory.end(), registers.begin(), registers.end());
        } else if ((tree.is(node, "arm,cortex-a15-gic") || tree.is(node, "arm,gic-400") || tree.is(node, "arm,cortex-a7-gic")) &&
                   registers.size() >= 4) {
            board.gicd = registers[0], board.gicc = registers[1], board.gich = registers[2], board.gicv = registers[3];
        } else if (is_pci_host(tree, fdt_parent_offset(tree.fdt(), node))) {
            continue;  // a function: read_functions() reads it
        } else if (!registers.empty()) {
            if (tree.is(node, "arm,smmu-v3")) read_smmu(tree, node, board);
            if (tree.is(node, "arm,gic-v2m-frame")) read_messages(tree, node, board);
            BoardDevice device{tree.path(node), registers, tree.interrupts(node), masters_bus(tree, node), node, {}, {}, {}};
            device.stream = stream_of(tree, node);
            device.needs = needs_of(tree, node);
            if (device.path == console && !device.interrupts.empty()) {
                board.uart = registers[0];
                board.uart_interrupt = device.interrupts[0].intid;
            }
            board.devices.push_back(std::move(device));
        }
    }
}

// The performance counters, where each CPU's have a private interrupt of the same number.
void read_pmu(const Tree& tree, Board& board) {
    const int node = fdt_path_offset(tree.fdt(), "/pmu");
    if (node < 0) return;
    const auto interrupts = tree.interrupts(node);
    const char* const compatible = static_cast<const char*>(fdt_getprop(tree.fdt(), node, "compatible", nullptr));
    if (compatible == nullptr || interrupts.size() != 1 || interrupts[0].intid < 16 || interrupts[0].intid >= 32) return;
    board.pmu_interrupt = interrupts[0].intid;
    board.pmu_compatible = compatible;
}

}  // namespace

const BoardDevice* Board::find(const std::string& path_or_alias) const {
    std::string path = path_or_alias;
    if (const char* const target = fdt_get_alias(tree.data(), path_or_alias.c_str()); target != nullptr) path = target;
    const auto at = std::find_if(devices.begin(), devices.end(), [&](const BoardDevice& device) { return device.path == path; });
    return at == devices.end() ? nullptr : &*at;
}

std::vector<std::string> Board::device_names() const {
    std::vector<std::string> out;
    for (const BoardDevice& device : devices) out.push_back(device.path);
    int property = 0;
    fdt_for_each_property_offset(property, tree.data(), fdt_path_offset(tree.data(), "/aliases")) {
        const char* alias = nullptr;
        if (fdt_getprop_by_offset(tree.data(), property, &alias, nullptr) != nullptr && find(alias) != nullptr) out.emplace_back(alias);
    }
    return out;
}

std::vector<std::string> board_names(const std::filesystem::path& boards) {
    std::vector<std::string> out;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator{boards, ignored})
        if (std::filesystem::exists(entry.path() / "board.toml")) out.push_back(entry.path().filename());
    std::sort(out.begin(), out.end());
    return out;
}

std::expected<Board, std::string> load_board(const std::string& name, const std::filesystem::path& boards,
                                             const std::filesystem::path& trees) {
    const auto file = boards / name / "board.toml";
    const auto text = read_file(file);
    const auto parsed = parse_toml({text.begin(), text.end()}, file.string());
    if (!parsed) return std::unexpected(fmt::format("{}:{}: {}", file.string(), parsed.error().line, parsed.error().description));
    const toml::table& table = *parsed;
    Board board;
    board.name = name;
    board.summary = table["summary"].value_or(std::string{});
    board.load_address = static_cast<std::uint64_t>(table["load_address"].value_or(std::int64_t{0}));
    if (const auto tick = table["tick"].value<std::string>()) {
        const auto nanoseconds = parse_duration(*tick);
        if (!nanoseconds) return std::unexpected(fmt::format("{}: tick: {}", file.string(), nanoseconds.error()));
        board.tick_us = static_cast<std::uint32_t>(*nanoseconds / 1000);
    }
    board.instruction_ps = static_cast<std::uint64_t>(table["instruction_ps"].value_or(std::int64_t{0}));
    constexpr std::uint64_t most_ps = 1'000'000;
    if (board.instruction_ps == 0 || board.instruction_ps > most_ps)
        return std::unexpected(fmt::format(
            "{}: instruction_ps must say how many picoseconds an instruction of the hypervisor takes, 1 to {}", file.string(), most_ps));
    const auto qemu = table["qemu"];
    board.qemu = {qemu["machine"].value_or(std::string{}),
                  qemu["cpu"].value_or(std::string{}),
                  qemu["memory"].value_or(std::string{}),
                  static_cast<std::uint32_t>(qemu["cpus"].value_or(std::int64_t{1})),
                  static_cast<std::uint64_t>(qemu["frequency"].value_or(std::int64_t{62'500'000})),
                  {}};
    if (const toml::array* const arguments = qemu["arguments"].as_array())
        for (const toml::node& argument : *arguments) board.qemu.arguments.push_back(argument.value_or(std::string{}));
    if (const std::string wrong = read_monitor(table, board); !wrong.empty())
        return std::unexpected(fmt::format("{}: {}", file.string(), wrong));
    constexpr std::uint64_t block = 0x20'0000, hypervisor_addresses = 0xf000'0000;  // hypervisor/machine/layout.hpp
    if (board.load_address % block != 0 || board.load_address == 0 || board.load_address >= hypervisor_addresses)
        return std::unexpected(fmt::format("{}: load_address must be a multiple of 2 MiB below {:#x}, in RAM that firmware leaves alone",
                                           file.string(), hypervisor_addresses));
    auto tree_file = boards / name / "board.dtb";  // a board that came compiled; the project's own are built with the tool
    if (!std::filesystem::exists(tree_file)) tree_file = trees / (name + ".dtb");
    board.tree = read_file(tree_file);
    if (board.tree.size() < 40 || fdt_check_full(board.tree.data(), board.tree.size()) != 0)
        return std::unexpected(fmt::format(
            "{} is not a device tree; build the tool anew with ./partita, or put a board.dtb beside board.toml", tree_file.string()));
    const Tree tree{board.tree};
    read_cpus(tree, board);
    read_pmu(tree, board);
    read_nodes(tree, board, table["console"].value_or(std::string{}));
    if (const std::string wrong = read_functions(tree, board); !wrong.empty())
        return std::unexpected(fmt::format("the device tree of board \"{}\": {}", name, wrong));
    if (board.cpus.empty() || board.memory.empty() || board.gicv.size == 0 || board.uart.size == 0)
        return std::unexpected(
            fmt::format("the device tree of board \"{}\" lacks CPUs, memory, a GICv2 with virtual interface, or the console", name));
    return board;
}

}  // namespace partita::tool
