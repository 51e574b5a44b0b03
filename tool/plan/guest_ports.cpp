#include "plan/guest_ports.hpp"

#include "message/port_lines.hpp"
#include "plan/guest_virtio.hpp"

namespace partita::tool {

using interrupts::edge_rising, interrupts::spi;
using std::uint32_t;

namespace {

[[nodiscard]] const char* compatible(uint32_t kind) {
    switch (kind) {
        case PARTITA_CHANNEL_DOORBELL: return "partita,doorbell";
        case PARTITA_CHANNEL_SAMPLING: return "partita,sampling-port";
        case PARTITA_CHANNEL_MEMORY: return "partita,shared-memory";
        default: return "partita,queuing-port";
    }
}

// How many parts the ports before this one have.
[[nodiscard]] uint32_t parts_before(const std::vector<GuestPort>& ports, std::size_t port) {
    std::size_t parts = 0;
    for (std::size_t n = 0; n < port; ++n) parts += ports[n].memory.size();
    return static_cast<uint32_t>(parts);
}

[[nodiscard]] std::vector<std::string> names_of(const GuestPort& port) {
    std::vector<std::string> out;
    for (const GuestPort::Memory& part : port.memory) out.push_back(part.name);
    return out;
}

void write_memory(TreeWriter& tree, const GuestPort& port, uint32_t first_part) {
    std::vector<uint32_t> phandles;
    for (uint32_t n = 0; n < port.memory.size(); ++n) {
        const GuestPort::Memory& part = port.memory[n];
        tree.cells(fmt::format("partita,{}-memory", part.name).c_str(),
                   {static_cast<uint32_t>(part.ipa), static_cast<uint32_t>(part.size)});
        phandles.push_back(first_memory_phandle + first_part + n);
    }
    tree.cells("memory-region", phandles);
    tree.texts("memory-region-names", names_of(port));
    tree.text("partita,attributes", port.uncached ? "uncached" : "cached");
}

}  // namespace

void write_ports(TreeWriter& tree, const std::vector<GuestPort>& ports) {
    tree.node("channels", [&] {
        tree.cells("#address-cells", {1});
        tree.cells("#size-cells", {0});
        for (uint32_t n = 0; n < ports.size(); ++n) {
            const GuestPort& port = ports[n];
            tree.node(fmt::format("{}@{:x}", port.channel, n), [&] {
                tree.text("compatible", compatible(port.kind));
                tree.cells("reg", {n});
                tree.text("partita,direction", port.sends ? "send" : "receive");
                tree.texts("partita,peers", port.peers);
                if (port.message_size != 0) tree.cells("partita,message-size", {port.message_size});
                if (port.depth != 0) tree.cells("partita,depth", {port.depth});
                if (port.time_us != 0)
                    tree.cells(port.kind == PARTITA_CHANNEL_SAMPLING ? "partita,refresh-us" : "partita,interval-us", {port.time_us});
                if (!port.memory.empty()) write_memory(tree, port, parts_before(ports, n));
                tree.cells("interrupts", {spi, port.interrupt - 32, edge_rising});
            });
        }
    });
}

void write_reserved_memory(TreeWriter& tree, const GuestTreeRequest& request) {
    const std::vector<GuestPort>& ports = request.ports;
    if (parts_before(ports, ports.size()) == 0 && !request.bounced) return;
    tree.node("reserved-memory", [&] {
        tree.cells("#address-cells", {2});
        tree.cells("#size-cells", {2});
        tree.flag("ranges");
        if (request.bounced) write_bounced(tree, *request.bounced);
        for (std::size_t port = 0; port < ports.size(); ++port)
            for (uint32_t n = 0; n < ports[port].memory.size(); ++n) {
                const GuestPort::Memory& part = ports[port].memory[n];
                tree.node(fmt::format("{}-{}@{:x}", ports[port].channel, part.name, part.ipa), [&] {
                    tree.reg(part.ipa, part.size);
                    tree.flag("no-map");
                    tree.cells("phandle", {first_memory_phandle + parts_before(ports, port) + n});
                });
            }
    });
}

void write_memory_devices(TreeWriter& tree, const std::vector<GuestPort>& ports) {
    for (const GuestPort& port : ports) {
        if (port.memory.empty()) continue;
        tree.node(fmt::format("{}@{:x}", port.channel, port.memory[0].ipa), [&] {
            tree.text("compatible", "generic-uio");
            std::vector<AddressRange> parts;
            for (const GuestPort::Memory& part : port.memory) parts.push_back({part.ipa, part.size});
            tree.regs(parts);
            tree.texts("reg-names", names_of(port));
            tree.cells("interrupts", {spi, port.interrupt - 32, edge_rising});
        });
    }
}

void write_gpio(TreeWriter& tree, const std::vector<GuestPort>& ports, uint32_t clock) {
    std::vector<std::string> names;
    uint32_t next = 0;
    for (const GuestPort& port : ports) {
        const PortLines lines = lines_of(port.kind, port.sends, next);
        if (lines.told != PortLines::none) names.push_back(port.channel);
        if (lines.ring != PortLines::none) names.push_back(lines.told == PortLines::none ? port.channel : port.channel + "-ring");
    }
    tree.node(fmt::format("gpio@{:x}", platform::pl061), [&] {
        tree.texts("compatible", {"arm,pl061", "arm,primecell"});
        tree.reg(platform::pl061, 0x1000);
        tree.cells("interrupts", {spi, platform::pl061_interrupt - 32, interrupts::level_high});
        tree.cells("clocks", {clock});
        tree.text("clock-names", "apb_pclk");
        tree.flag("gpio-controller");
        tree.cells("#gpio-cells", {2});
        tree.flag("interrupt-controller");
        tree.cells("#interrupt-cells", {2});
        tree.texts("gpio-line-names", names);
    });
}

}  // namespace partita::tool
