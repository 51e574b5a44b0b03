#include "plan/guest_tree.hpp"

#include <algorithm>

#include "plan/guest_ports.hpp"
#include "plan/guest_virtio.hpp"

namespace partita::tool {

using std::uint32_t;

namespace {

using interrupts::edge_rising, interrupts::level_high, interrupts::ppi, interrupts::spi;

void write_cpus(TreeWriter& tree, const GuestTreeRequest& request) {
    tree.node("cpus", [&] {
        tree.cells("#address-cells", {1});
        tree.cells("#size-cells", {0});
        for (uint32_t n = 0; n < request.cpus; ++n)
            tree.node(fmt::format("cpu@{}", n), [&] {
                tree.text("device_type", "cpu");
                tree.text("compatible", request.cpu_compatible);
                if (request.cpus > 1) tree.text("enable-method", "psci");
                tree.cells("reg", {n});
            });
    });
    tree.node("psci", [&] {
        tree.texts("compatible", {"arm,psci-1.0", "arm,psci-0.2", "arm,psci"});
        tree.text("method", "hvc");
        tree.cells("cpu_suspend", {0x84000001});
        tree.cells("cpu_off", {0x84000002});
        tree.cells("cpu_on", {0x84000003});
        tree.cells("migrate", {0x84000005});
    });
}

// The page that a message is written to. Its numbers are the partition's own part of what the frame has.
void write_messages(TreeWriter& tree, const MessageFrame& messages) {
    tree.node(fmt::format("v2m@{:x}", messages.registers.begin), [&] {
        tree.text("compatible", "arm,gic-v2m-frame");
        tree.reg(messages.registers.begin, 0x1000);
        tree.flag("msi-controller");
        tree.cells("arm,msi-base-spi", {messages.first});
        tree.cells("arm,msi-num-spis", {messages.count});
        tree.cells("phandle", {messages_phandle});
    });
}

void write_platform(TreeWriter& tree, const GuestTreeRequest& request) {
    const uint32_t all_cpus = ((1u << request.cpus) - 1) << 8;
    tree.node("intc@8000000", [&] {
        tree.text("compatible", "arm,cortex-a15-gic");
        tree.cells("#interrupt-cells", {3});
        tree.cells("#address-cells", {2});
        tree.cells("#size-cells", {2});
        tree.flag("interrupt-controller");
        tree.regs({{platform::gicd, 0x1000}, {platform::gicc, platform::gicc_size}});
        tree.flag("ranges");
        tree.cells("phandle", {gic_phandle});
        if (request.messages) write_messages(tree, *request.messages);
    });
    tree.node("timer", [&] {
        tree.text("compatible", "arm,armv7-timer");
        tree.flag("always-on");
        std::vector<uint32_t> interrupts;
        for (const uint32_t number : {13u, 14u, 11u, 10u}) interrupts.insert(interrupts.end(), {ppi, number, all_cpus | level_high});
        tree.cells("interrupts", interrupts);
    });
    tree.node("apb-pclk", [&] {
        tree.text("compatible", "fixed-clock");
        tree.cells("#clock-cells", {0});
        tree.cells("clock-frequency", {24'000'000});
        tree.text("clock-output-names", "clk24mhz");
        tree.cells("phandle", {clock_phandle});
    });
    tree.node("pl011@9000000", [&] {
        tree.texts("compatible", {"arm,pl011", "arm,primecell"});
        tree.reg(platform::pl011, 0x1000);
        tree.cells("interrupts", {spi, platform::pl011_interrupt - 32, level_high});
        tree.cells("clocks", {clock_phandle, clock_phandle});
        tree.texts("clock-names", {"uartclk", "apb_pclk"});
    });
}

void write_clock(TreeWriter& tree) {
    tree.node("pl031@9010000", [&] {
        tree.texts("compatible", {"arm,pl031", "arm,primecell"});
        tree.reg(platform::pl031, 0x1000);
        tree.cells("interrupts", {spi, platform::pl031_interrupt - 32, level_high});
        tree.cells("clocks", {clock_phandle});
        tree.text("clock-names", "apb_pclk");
    });
}

// A second PL011; a Linux sees ttyAMA1.
void write_control(TreeWriter& tree) {
    tree.node("control@9040000", [&] {
        tree.texts("compatible", {"partita,control-channel", "arm,pl011", "arm,primecell"});
        tree.reg(platform::control, 0x1000);
        tree.cells("interrupts", {spi, platform::control_interrupt - 32, level_high});
        tree.cells("clocks", {clock_phandle, clock_phandle});
        tree.texts("clock-names", {"uartclk", "apb_pclk"});
    });
}

void write_watchdog(TreeWriter& tree) {
    tree.node("watchdog@9080000", [&] {
        tree.texts("compatible", {"arm,sp805", "arm,primecell"});
        tree.reg(platform::sp805, 0x1000);
        tree.cells("interrupts", {spi, platform::sp805_interrupt - 32, level_high});
        tree.cells("clocks", {clock_phandle, clock_phandle});
        tree.texts("clock-names", {"wdog_clk", "apb_pclk"});
    });
}

void write_pmu(TreeWriter& tree, const Board& board, uint32_t cpus) {
    const uint32_t all_cpus = ((1u << cpus) - 1) << 8;
    tree.node("pmu", [&] {
        tree.text("compatible", board.pmu_compatible);
        tree.cells("interrupts", {ppi, board.pmu_interrupt - 16, all_cpus | level_high});
    });
}

// A copy of the board's node: what describes the device itself. Clocks become the platform's fixed one; what refers to
// other nodes of the board stays behind.
void write_device(TreeWriter& tree, const Board& board, const BoardDevice& device) {
    const void* const fdt = board.tree.data();
    const std::string name = device.path.substr(device.path.rfind('/') + 1);
    static constexpr const char* left_behind[] = {"reg", "interrupts", "clocks", "phandle", "linux,phandle", "interrupt-parent"};
    tree.node(name, [&] {
        int property = 0;
        fdt_for_each_property_offset(property, fdt, device.offset) {
            const char* key = nullptr;
            int size = 0;
            const auto* const value = static_cast<const std::uint8_t*>(fdt_getprop_by_offset(fdt, property, &key, &size));
            const bool skip = std::any_of(std::begin(left_behind), std::end(left_behind),
                                          [&](const char* other) { return std::string_view{other} == key; });
            if (!skip) tree.raw(key, Bytes{value, value + size});
        }
        tree.regs(device.registers);
        std::vector<uint32_t> interrupts;
        for (const BoardInterrupt& interrupt : device.interrupts)
            interrupts.insert(interrupts.end(), {spi, interrupt.intid - 32, interrupt.edge ? edge_rising : level_high});
        if (!interrupts.empty()) tree.cells("interrupts", interrupts);
        int size = 0;
        if (fdt_getprop(fdt, device.offset, "clocks", &size) != nullptr)
            tree.cells("clocks", std::vector<uint32_t>(static_cast<std::size_t>(size) / 4, clock_phandle));
    });
}

[[nodiscard]] bool has_functions(const GuestTreeRequest& request) {
    return std::any_of(request.devices.begin(), request.devices.end(), [](const BoardDevice* device) { return device->pci.has_value(); });
}

// The bus with the partition's functions. Nothing is said of the System MMU: what is memory for the partition is so for them.
void write_pci(TreeWriter& tree, const GuestTreeRequest& request) {
    const AddressRange& window = request.board->pci->window;
    const auto high = [](std::uint64_t value) { return static_cast<uint32_t>(value >> 32); };
    const auto low = [](std::uint64_t value) { return static_cast<uint32_t>(value); };
    constexpr uint32_t memory32 = 0x0200'0000, every_function = 0xff00, every_pin = 7;
    tree.node(fmt::format("pcie@{:x}", platform::pci_config), [&] {
        tree.text("compatible", "pci-host-ecam-generic");
        tree.text("device_type", "pci");
        tree.cells("#address-cells", {3});
        tree.cells("#size-cells", {2});
        tree.cells("#interrupt-cells", {1});
        tree.reg(platform::pci_config, platform::pci_config_size);
        tree.cells("bus-range", {0, 0});
        tree.cells("linux,pci-domain", {0});
        tree.cells("ranges", {memory32, high(window.begin), low(window.begin), high(window.begin), low(window.begin), high(window.size),
                              low(window.size)});
        tree.flag("dma-coherent");
        if (request.messages) return tree.cells("msi-parent", {messages_phandle});
        std::vector<uint32_t> lines;
        for (const BoardDevice* const device : request.devices)
            if (device->pci && !device->interrupts.empty())
                lines.insert(lines.end(), {device->pci->number << 8, 0, 0, device->pci->pin, gic_phandle, 0, 0, spi,
                                           device->interrupts[0].intid - 32, device->interrupts[0].edge ? edge_rising : level_high});
        if (lines.empty()) return;
        tree.cells("interrupt-map-mask", {every_function, 0, 0, every_pin});
        tree.cells("interrupt-map", lines);
    });
}

// Where the value of a property lies in the tree.
PlannedPatch patch_of(const Bytes& bytes, const char* node, const char* property, uint32_t kind) {
    const int at = fdt_path_offset(bytes.data(), node);
    int size = 0;
    const auto* const value = static_cast<const std::uint8_t*>(fdt_getprop(bytes.data(), at, property, &size));
    constexpr uint32_t header = 12;  // FDT_PROP, length, name offset
    const auto length = static_cast<uint32_t>(size);
    return {static_cast<std::uint64_t>(value - bytes.data()), length, header, header + (length + 3) / 4 * 4, kind};
}

}  // namespace

GuestTree make_guest_tree(const GuestTreeRequest& request) {
    TreeWriter tree;
    tree.node("", [&] {
        tree.text("compatible", "linux,dummy-virt");
        tree.text("model", "Partita partition");
        tree.cells("#address-cells", {2});
        tree.cells("#size-cells", {2});
        tree.cells("interrupt-parent", {gic_phandle});
        tree.node("chosen", [&] {
            tree.text("stdout-path", "/pl011@9000000");
            if (!request.bootargs.empty()) tree.text("bootargs", request.bootargs);
            if (request.initrd_end != 0) {
                tree.cells("linux,initrd-start",
                           {static_cast<uint32_t>(request.initrd_begin >> 32), static_cast<uint32_t>(request.initrd_begin)});
                tree.cells("linux,initrd-end",
                           {static_cast<uint32_t>(request.initrd_end >> 32), static_cast<uint32_t>(request.initrd_end)});
            }
            if (has_functions(request)) tree.cells("linux,pci-probe-only", {1});  // base address registers stay where they are
            tree.raw("rng-seed", Bytes(64));
            tree.raw("kaslr-seed", Bytes(8));
        });
        tree.node("aliases", [&] { tree.text("serial0", "/pl011@9000000"); });
        tree.node(fmt::format("memory@{:x}", request.ram), [&] {
            tree.text("device_type", "memory");
            tree.reg(request.ram, request.memory);
        });
        write_cpus(tree, request);
        write_platform(tree, request);
        if (request.clock) write_clock(tree);
        if (request.watchdog) write_watchdog(tree);
        if (request.control) write_control(tree);
        if (request.gpio) write_gpio(tree, request.ports, clock_phandle);
        write_virtio(tree, request.virtio, request.bounced.has_value());
        if (request.pmu && request.board->pmu_interrupt != 0) write_pmu(tree, *request.board, request.cpus);
        for (const BoardDevice* const device : request.devices)
            if (!device->pci) write_device(tree, *request.board, *device);
        if (has_functions(request)) write_pci(tree, request);
        tree.node("hypervisor", [&] {
            tree.text("compatible", "partita,hypervisor");
            tree.cells("partita,reset-reason", {0});  // these two differ from life to life
            tree.cells("partita,starts", {0});
            if (request.control) tree.cells("interrupts", {spi, platform::events_interrupt - 32, edge_rising});
            if (request.store)
                tree.cells("partita,store",
                           {static_cast<std::uint32_t>(request.store->first), static_cast<std::uint32_t>(request.store->second)});
            if (request.history) tree.cells("partita,history", {static_cast<std::uint32_t>(*request.history)});
            if (!request.restart_after.empty()) tree.cells("partita,restart-after", request.restart_after);
            if (!request.ports.empty()) write_ports(tree, request.ports);
            if (!request.served.empty()) write_served(tree, request.served);
        });
        write_reserved_memory(tree, request);
        write_memory_devices(tree, request.ports);
    });
    GuestTree out;
    out.bytes = tree.finish();
    out.patches = {patch_of(out.bytes, "/chosen", "rng-seed", PARTITA_PATCH_RANDOM),
                   patch_of(out.bytes, "/chosen", "kaslr-seed", PARTITA_PATCH_RANDOM),
                   patch_of(out.bytes, "/hypervisor", "partita,reset-reason", PARTITA_PATCH_RESET_REASON),
                   patch_of(out.bytes, "/hypervisor", "partita,starts", PARTITA_PATCH_STARTS)};
    return out;
}

}  // namespace partita::tool
