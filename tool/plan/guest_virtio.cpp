#include "plan/guest_virtio.hpp"

#include "arch/address.hpp"

namespace partita::tool {

using interrupts::edge_rising, interrupts::spi;
using std::uint32_t;

namespace {

[[nodiscard]] uint32_t cell(std::uint64_t value) { return static_cast<uint32_t>(value); }

// Of a disk that lies on one of the server's: sectors, or the name that the server looks up.
void write_place(TreeWriter& tree, const PlannedDisk& disk) {
    const DiskDescription& description = disk.description;
    tree.text("partita,on", disk.on->path);
    tree.cells("partita,function", {disk.on->pci->number});
    if (description.gpt) tree.text("partita,gpt-name", description.gpt->value);
    if (!description.at || !description.size) return;
    const std::uint64_t first = description.at->value / 512, count = description.size->value / 512;
    tree.cells("partita,range", {cell(first >> 32), cell(first), cell(count >> 32), cell(count)});
}

void write_disk(TreeWriter& tree, const PlannedDisk& disk) {
    tree.text("compatible", "partita,virtio-block");
    tree.text("partita,name", disk.description.name.value);
    if (disk.on != nullptr)
        write_place(tree, disk);
    else
        tree.cells("partita,disk", {cell(disk.at), cell(disk.size)});
    if (disk.image_size != 0) tree.cells("partita,image", {cell(disk.image_at), cell(disk.image_size)});
    if (const auto& changes = disk.description.changes) tree.cells("partita,changes", {cell(changes->value)});
    if (disk.description.read_only.value) tree.cells("partita,read-only", {1});
}

void write_port(TreeWriter& tree, const PlannedNetwork& port) {
    tree.text("compatible", "partita,virtio-net");
    tree.text("partita,name", port.description.name.value);
    tree.cells("partita,network", {cell(port.network)});
    tree.cells("partita,mac", {port.mac.begin(), port.mac.end()});
    if (port.group != 0) tree.cells("partita,group", {port.group});
    if (port.description.any_mac.value) tree.cells("partita,any-mac", {1});
    if (const auto& rate = port.description.rate) tree.cells("partita,rate", {cell(rate->value >> 32), cell(rate->value)});
    if (port.uplink != nullptr) tree.cells("partita,uplink", {port.uplink->pci->number});
}

void write_ports(TreeWriter& tree, const ServedDevice& device) {
    tree.text("compatible", device.rpmsg ? "partita,virtio-rpmsg" : "partita,virtio-console");
    std::vector<uint32_t> numbers, sends, kinds, sizes, lines;
    std::vector<std::string> names;
    for (const auto& [end, number] : device.ports) {
        names.push_back(end.channel);
        numbers.push_back(number);
        sends.push_back(end.sends ? 1 : 0);
        kinds.push_back(end.kind);
        sizes.push_back(end.message_size);
        lines.insert(lines.end(), {spi, end.interrupt - 32, edge_rising});
    }
    tree.texts("partita,port-names", names);
    tree.cells("partita,ports", numbers);
    tree.cells("partita,sends", sends);
    tree.cells("partita,kinds", kinds);
    tree.cells("partita,message-sizes", sizes);
    tree.cells("interrupts", lines);
}

void write_device(TreeWriter& tree, const ServedDevice& device) {
    tree.text("partita,client", device.client);
    tree.cells("partita,version", {device.version});
    tree.cells("partita,kept-memory", {cell(device.kept), cell(kPageSize)});
    const auto& [there, here, size] = device.memory;
    tree.cells("partita,client-memory", {cell(there), cell(here), cell(size)});
    if (device.pool) tree.flag("partita,pool");
    if (device.disk != nullptr)
        write_disk(tree, *device.disk);
    else if (device.network != nullptr)
        write_port(tree, *device.network);
    else if (device.rng)
        tree.text("compatible", "partita,virtio-rng");
    else
        write_ports(tree, device);
}

}  // namespace

void write_bounced(TreeWriter& tree, const AddressRange& range) {
    tree.node(fmt::format("shared@{:x}", range.begin), [&] {
        tree.text("compatible", "restricted-dma-pool");
        tree.reg(range.begin, range.size);
        tree.cells("phandle", {bounced_phandle});
    });
}

void write_virtio(TreeWriter& tree, const std::vector<PlannedVirtio>& devices, bool bounced) {
    for (const PlannedVirtio& device : devices)
        tree.node(fmt::format("virtio_mmio@{:x}", device.address()), [&] {
            tree.text("compatible", "virtio,mmio");
            tree.reg(device.address(), PARTITA_VIRTIO_SIZE);
            tree.cells("interrupts", {spi, device.interrupt - 32, edge_rising});
            tree.flag("dma-coherent");
            if (bounced) tree.cells("memory-region", {bounced_phandle});
        });
}

void write_served(TreeWriter& tree, const std::vector<ServedDevice>& devices) {
    tree.node("served", [&] {
        tree.cells("#address-cells", {1});
        tree.cells("#size-cells", {0});
        tree.cells("interrupts", {spi, platform::serve_interrupt - 32, edge_rising});
        for (const ServedDevice& device : devices)
            tree.node(fmt::format("device-{0}@{0:x}", device.number), [&] {
                tree.cells("reg", {device.number});
                write_device(tree, device);
            });
    });
}

}  // namespace partita::tool
