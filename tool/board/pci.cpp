#include "board/pci.hpp"

#include <fmt/format.h>

#include <charconv>

namespace partita::tool {

namespace {

// phys.hi of an address on the bus: prefetchable, space (2: 32-bit memory, 3: 64-bit), bus, device and function, register.
struct BusAddress {
    std::uint32_t high;
    [[nodiscard]] bool prefetchable() const { return (high >> 30 & 1u) != 0; }
    [[nodiscard]] std::uint32_t space() const { return high >> 24 & 3u; }
    [[nodiscard]] std::uint32_t bus() const { return high >> 16 & 0xffu; }
    [[nodiscard]] std::uint32_t function() const { return high >> 8 & 0xffu; }
    [[nodiscard]] std::uint32_t reg() const { return high & 0xffu; }
};

constexpr std::uint32_t memory32 = 2, memory64 = 3;

// "pci1234,11e8" among the compatible strings.
[[nodiscard]] std::optional<std::uint32_t> read_id(const Tree& tree, int node) {
    const int count = fdt_stringlist_count(tree.fdt(), node, "compatible");
    for (int n = 0; n < count; ++n) {
        const std::string_view text = fdt_stringlist_get(tree.fdt(), node, "compatible", n, nullptr);
        const std::size_t comma = text.find(',');
        if (!text.starts_with("pci") || comma == std::string_view::npos) continue;
        std::uint32_t vendor = 0, device = 0;
        const auto first = std::from_chars(text.data() + 3, text.data() + comma, vendor, 16);
        const auto second = std::from_chars(text.data() + comma + 1, text.data() + text.size(), device, 16);
        if (first.ptr == text.data() + comma && second.ptr == text.data() + text.size()) return device << 16 | vendor;
    }
    return std::nullopt;
}

// One base address register. "" or what is wrong with it.
[[nodiscard]] std::string read_bar(const std::vector<std::uint32_t>& cells, std::size_t at, const PciHost& host, BoardDevice& device) {
    const BusAddress address{cells[at]};
    const AddressRange range{static_cast<std::uint64_t>(cells[at + 1]) << 32 | cells[at + 2],
                             static_cast<std::uint64_t>(cells[at + 3]) << 32 | cells[at + 4]};
    const std::size_t bar = (address.reg() - 0x10) / 4;
    const bool wide = address.space() == memory64;
    if (address.reg() < 0x10 || address.reg() % 4 != 0 || bar + (wide ? 1 : 0) >= 6 || (!wide && address.space() != memory32))
        return fmt::format("{} assigns an address to something that is no base address register of memory", device.path);
    if (address.function() != device.pci->number) return fmt::format("{} assigns an address to another function than its own", device.path);
    if (range.size < 16 || (range.size & (range.size - 1)) != 0 || range.begin % range.size != 0 || range.begin < host.window.begin ||
        range.end() > host.window.end())
        return fmt::format(
            "{} has a base address register of {:#x} bytes at {:#x}: it must be a power of two, aligned, in the window of {}", device.path,
            range.size, range.begin, host.path);
    const std::uint32_t kind = (wide ? 4u : 0u) | (address.prefetchable() ? 8u : 0u);
    device.pci->bars[bar] = static_cast<std::uint32_t>(range.begin) | kind;
    device.pci->masks[bar] = static_cast<std::uint32_t>(~(range.size - 1)) | kind;
    if (wide) device.pci->masks[bar + 1] = ~0u;
    device.registers.push_back(range);
    return "";
}

// The interrupt that a function's pin is wired to (interrupt-map).
[[nodiscard]] std::vector<BoardInterrupt> wired(const Tree& tree, int host, std::uint32_t function, std::uint32_t pin) {
    const auto mask = tree.cells(host, "interrupt-map-mask"), map = tree.cells(host, "interrupt-map");
    if (mask.size() != 4) return {};
    for (std::size_t at = 0; at + 5 <= map.size();) {
        const int parent = fdt_node_offset_by_phandle(tree.fdt(), map[at + 4]);
        const auto address = tree.cells(parent, "#address-cells");
        const std::size_t unit = address.empty() ? 0 : address[0], end = at + 5 + unit + 3;
        if (end > map.size()) return {};
        if (map[at] == (function << 8 & mask[0]) && map[at + 3] == (pin & mask[3]))
            return {{map[end - 2] + (map[end - 3] == 0 ? 32 : 16), (map[end - 1] & 3u) != 0}};
        at = end;
    }
    return {};
}

// By what the System MMU knows a function: <first &smmu stream length>.
[[nodiscard]] std::optional<std::uint32_t> stream_of(const Tree& tree, int host, std::uint32_t function) {
    const auto map = tree.cells(host, "iommu-map");
    for (std::size_t at = 0; at + 4 <= map.size(); at += 4) {
        const bool here = function >= map[at] && function - map[at] < map[at + 3];
        if (here && tree.is(fdt_node_offset_by_phandle(tree.fdt(), map[at + 1]), "arm,smmu-v3")) return map[at + 2] + function - map[at];
    }
    return std::nullopt;
}

[[nodiscard]] std::string read_function(const Tree& tree, int host, int node, Board& board) {
    BoardDevice device{tree.path(node), {}, {}, true, node, {}, {}, {}};
    const auto reg = tree.cells(node, "reg");
    const auto id = read_id(tree, node);
    if (reg.size() < 5 || BusAddress{reg[0]}.bus() != 0) return fmt::format("{} is not on bus 0; only that one is supported", device.path);
    if (!id) return fmt::format("{} must say what it is: compatible = \"pciVVVV,DDDD\", vendor and device", device.path);
    device.pci = PciFunction{BusAddress{reg[0]}.function(), 1, *id, {}, {}};
    const auto assigned = tree.cells(node, "assigned-addresses");
    for (std::size_t at = 0; at + 5 <= assigned.size(); at += 5)
        if (const std::string wrong = read_bar(assigned, at, *board.pci, device); !wrong.empty()) return wrong;
    if (device.registers.empty()) return fmt::format("{} has no assigned-addresses: where are its registers to be?", device.path);
    if (const auto pin = tree.cells(node, "interrupts"); !pin.empty()) {
        device.pci->pin = pin[0];
        device.interrupts = wired(tree, host, device.pci->number, pin[0]);
    }
    device.stream = stream_of(tree, host, device.pci->number);
    board.devices.push_back(std::move(device));
    return "";
}

// The window of 32-bit memory that lies at the same address on the bus and for the CPUs.
[[nodiscard]] AddressRange window_of(const Tree& tree, int host) {
    const auto ranges = tree.cells(host, "ranges");
    for (std::size_t at = 0; at + 7 <= ranges.size(); at += 7) {
        const bool same = ranges[at + 1] == ranges[at + 3] && ranges[at + 2] == ranges[at + 4];
        if (BusAddress{ranges[at]}.space() == memory32 && same)
            return {static_cast<std::uint64_t>(ranges[at + 3]) << 32 | ranges[at + 4],
                    static_cast<std::uint64_t>(ranges[at + 5]) << 32 | ranges[at + 6]};
    }
    return {};
}

}  // namespace

bool is_pci_host(const Tree& tree, int node) { return node >= 0 && tree.is(node, "pci-host-ecam-generic"); }

std::string read_functions(const Tree& tree, Board& board) {
    const int host = fdt_node_offset_by_compatible(tree.fdt(), -1, "pci-host-ecam-generic");
    if (host < 0) return "";
    const auto registers = tree.registers(host);
    board.pci = PciHost{tree.path(host), registers.empty() ? AddressRange{} : registers[0], window_of(tree, host)};
    if (board.pci->config.size == 0 || board.pci->window.size == 0)
        return fmt::format("{} needs a configuration space (reg) and a window of 32-bit memory at the same address on the bus (ranges)",
                           board.pci->path);
    int node = 0;
    fdt_for_each_subnode(node, tree.fdt(), host) {
        if (const std::string wrong = read_function(tree, host, node, board); !wrong.empty()) return wrong;
    }
    return "";
}

}  // namespace partita::tool
