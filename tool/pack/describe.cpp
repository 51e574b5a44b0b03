#include "pack/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "arch/stage2.hpp"
#include "boot/image_check.hpp"
#include "message/channel_storage.hpp"
#include "partita/system_image.h"
#include "timing/costs.hpp"

namespace partita::tool {

namespace {

struct NoPool {
    Descriptor* take() { return nullptr; }
    PhysAddr physical(const Descriptor*) { return {}; }
    Descriptor* table(PhysAddr) { return nullptr; }
    void publish(const Descriptor*) {}
};

struct Tables {
    std::vector<partita_cpu> cpus;
    std::vector<partita_partition> partitions;
    std::vector<partita_vcpu> vcpus;
    std::vector<partita_region> regions;
    std::vector<partita_copy> copies;
    std::vector<partita_patch> patches;
    std::vector<partita_route> interrupts;
    std::vector<partita_master> masters;
    std::vector<partita_channel> channels;
    std::vector<partita_port> ports;
    std::vector<partita_virtio> virtio;
    std::vector<partita_slice> frames;
    std::vector<partita_window> windows;
};

template <typename Record>
[[nodiscard]] partita_slice next_slice(const std::vector<Record>& table, std::size_t count) {
    return {static_cast<std::uint32_t>(table.size()), static_cast<std::uint32_t>(count)};
}

// A multiplier under which every emulated page has a slot of its own.
void fill_traps(partita_partition& out, const std::vector<PlannedVirtio>& virtio) {
    struct Emulated {
        std::uint64_t address;
        std::uint32_t device;
    };
    std::vector<Emulated> devices{{platform::gicd, PARTITA_DEVICE_GICD}, {platform::pl011, PARTITA_DEVICE_PL011}};
    if (out.clock_interrupt != 0) devices.push_back({platform::pl031, PARTITA_DEVICE_PL031});
    if (out.watchdog_interrupt != 0) devices.push_back({platform::sp805, PARTITA_DEVICE_SP805});
    if (out.gpio_interrupt != 0) devices.push_back({platform::pl061, PARTITA_DEVICE_PL061});
    if (out.control_interrupt != 0) devices.push_back({platform::control, PARTITA_DEVICE_CONTROL});
    for (const PlannedVirtio& device : virtio)
        if (devices.back().address != device.address() / kPageSize * kPageSize)
            devices.push_back({device.address() / kPageSize * kPageSize, PARTITA_DEVICE_VIRTIO});
    for (std::uint32_t multiplier = 0x0020'0001;; multiplier += 0x0001'0002) {
        std::fill(std::begin(out.traps), std::end(out.traps), partita_trap_slot{PARTITA_NO_PAGE, PARTITA_DEVICE_NONE});
        out.trap_multiplier = multiplier;
        bool apart = true;
        for (const Emulated& device : devices) {
            const auto page = static_cast<std::uint32_t>(device.address >> 12);
            partita_trap_slot& slot = out.traps[page * multiplier >> 27];
            apart = apart && slot.device == PARTITA_DEVICE_NONE;
            slot = {page, device.device};
        }
        if (apart) return;
    }
}

[[nodiscard]] partita_master describe_master(const Board& board, const PlannedMaster& planned) {
    partita_master out{};
    out.flags = planned.flags;
    out.stream = *planned.device->stream;
    if (!planned.device->pci) return out;
    const PciFunction& function = *planned.device->pci;
    out.config = board.pci->config.begin + std::uint64_t{function.number} * kPageSize;
    out.function = function.number;
    out.id = function.id;
    std::copy(function.bars.begin(), function.bars.end(), out.bars);
    std::copy(function.masks.begin(), function.masks.end(), out.bar_masks);
    return out;
}

void add_partition(const Board& board, const PlannedPartition& planned, std::uint32_t number, Tables& tables) {
    partita_partition out{};
    std::memcpy(out.name, planned.name.data(), std::min<std::size_t>(planned.name.size(), sizeof out.name - 1));
    out.flags = planned.flags;
    out.entry = static_cast<std::uint32_t>(planned.entry);
    out.r0 = static_cast<std::uint32_t>(planned.r0);
    out.r1 = static_cast<std::uint32_t>(planned.r1);
    out.r2 = static_cast<std::uint32_t>(planned.r2);
    out.console_interrupt = platform::pl011_interrupt;
    out.clock_interrupt = planned.has_clock() ? platform::pl031_interrupt : 0;
    out.budget_us = planned.budget;
    out.period_us = planned.budget_period;
    out.interrupts = planned.interrupts;
    out.watchdog_interrupt = planned.watchdog_ms != 0 ? platform::sp805_interrupt : 0;
    out.gpio_interrupt = planned.has_gpio() ? platform::pl061_interrupt : 0;
    out.control_interrupt = planned.is_parent() ? platform::control_interrupt : 0;
    out.events_interrupt = planned.is_parent() ? platform::events_interrupt : 0;
    out.watchdog_ms = planned.watchdog_ms;
    out.restart_limit = planned.restart_limit;
    out.restart_period_ms = planned.restart_period_ms;
    out.trusted = planned.trusted;
    out.serve_interrupt = planned.serves ? platform::serve_interrupt : 0;
    fill_traps(out, planned.virtio);
    out.vcpus = next_slice(tables.vcpus, planned.cpus.size());
    out.regions = next_slice(tables.regions, planned.regions.size());
    out.copies = next_slice(tables.copies, planned.copies.size());
    out.patches = next_slice(tables.patches, planned.patches.size());
    out.routes = next_slice(tables.interrupts, planned.routes.size());
    out.masters = next_slice(tables.masters, planned.masters.size());
    out.ports = next_slice(tables.ports, planned.ports.size());
    out.virtio = next_slice(tables.virtio, planned.virtio.size());
    for (std::uint32_t index = 0; index < planned.cpus.size(); ++index)
        tables.vcpus.push_back({number, planned.cpus[index], index, planned.priority});
    for (const PlannedRegion& region : planned.regions)
        tables.regions.push_back({region.ipa, region.pa, region.size, region.flags, region.channel});
    for (const PlannedCopy& copy : planned.copies) tables.copies.push_back({copy.source, copy.ipa, copy.bytes.size()});
    for (const PlannedPatch& patch : planned.patches)
        tables.patches.push_back({patch.ipa, patch.size, patch.kind, patch.nop_before, patch.nop_size});
    for (const PlannedRoute& route : planned.routes) tables.interrupts.push_back({route.intid, route.edge ? PARTITA_ROUTE_EDGE : 0});
    for (const PlannedMaster& master : planned.masters) tables.masters.push_back(describe_master(board, master));
    for (const PlannedPort& port : planned.ports)
        tables.ports.push_back(
            {static_cast<std::uint32_t>(port.channel), port.flags, port.interrupt, static_cast<std::uint32_t>(port.owner)});
    for (const PlannedVirtio& device : planned.virtio)
        tables.virtio.push_back(
            {device.slot, device.interrupt, static_cast<std::uint32_t>(device.server), device.version, device.timeout_us, 0});
    tables.partitions.push_back(out);
}

[[nodiscard]] partita_channel describe_channel(const PlannedChannel& channel) {
    return {channel.kind, channel.message_size, channel.depth, channel.time_us};
}

void add_frames(const Plan& plan, Tables& tables) {
    for (const PlannedSchedule& schedule : plan.schedules)
        for (const auto& windows : schedule.cpus) {
            tables.frames.push_back(next_slice(tables.windows, windows.size()));
            for (const PlannedWindow& window : windows)
                tables.windows.push_back({static_cast<std::uint32_t>(window.length), window.partitions});
        }
}

template <typename Record>
void append(Bytes& bytes, partita_table& table, const std::vector<Record>& records) {
    bytes.resize((bytes.size() + 7) / 8 * 8);
    table = {static_cast<std::uint32_t>(bytes.size()), static_cast<std::uint32_t>(records.size())};
    const auto* const first = reinterpret_cast<const std::uint8_t*>(records.data());
    bytes.insert(bytes.end(), first, first + records.size() * sizeof(Record));
}

[[nodiscard]] std::uint64_t pool_needed(const Plan& plan, const OwnMemory& own) {
    std::uint64_t objects = 0, bytes = 0;
    for (const PlannedPartition& partition : plan.partitions) {
        bytes += stage2::root_entries * sizeof(Descriptor) + own.vcpu_size * partition.cpus.size();
        objects += own.partition_size;
        for (const PlannedRegion& region : partition.regions)
            bytes += Stage2<NoPool>::tables_needed(Ipa{region.ipa}, PhysAddr{region.pa}, region.size) * kPageSize;
    }
    for (const PlannedChannel& channel : plan.channels)
        objects += channel_size(describe_channel(channel), static_cast<std::uint32_t>(plan.board->cpus.size()));
    for (const PlannedSchedule& schedule : plan.schedules)
        for (const auto& windows : schedule.cpus) objects += PARTITA_WINDOW_SIZE * windows.size();
    if (plan.board->smmu.size != 0) {
        bytes += PARTITA_MAX_STREAMS * PARTITA_STREAM_ENTRY_SIZE + 2 * PARTITA_STREAM_QUEUE_SIZE;
        objects += PARTITA_STREAM_ROOT_SIZE * (plan.partitions.size() + 1);  // one for their alignment
    }
    return bytes + (objects + kPageSize - 1) / kPageSize * kPageSize;
}

// How many virtual CPUs each CPU has.
[[nodiscard]] std::vector<std::uint32_t> load_of(const Plan& plan) {
    std::vector<std::uint32_t> load(plan.board->cpus.size());
    for (const PlannedPartition& partition : plan.partitions)
        for (const std::uint32_t cpu : partition.cpus) ++load[cpu];
    return load;
}

// The console's interrupts go to the CPU with the fewest virtual CPUs: to an idle one where there is one.
[[nodiscard]] std::uint32_t least_loaded_cpu(const std::vector<std::uint32_t>& load) {
    return static_cast<std::uint32_t>(std::min_element(load.begin(), load.end()) - load.begin());
}

// The tick that one CPU takes for all: the board's, or that of consoles without frames (console::tick()).
[[nodiscard]] std::uint32_t shared_tick(const Board& board, const PackOptions& options) {
    constexpr std::uint32_t plain_tick_us = 100'000;
    if (options.framed_console) return board.tick_us;
    return board.tick_us != 0 ? std::min(board.tick_us, plain_tick_us) : plain_tick_us;
}

[[nodiscard]] partita_board describe_board(const Board& board) {
    partita_board out{};
    out.gicd = board.gicd.begin, out.gicc = board.gicc.begin, out.gich = board.gich.begin, out.gicv = board.gicv.begin;
    out.uart = board.uart.begin;
    out.ram_base = board.memory.front().begin;
    out.uart_interrupt = board.uart_interrupt;
    out.pmu_interrupt = board.pmu_interrupt;
    out.smmu = board.smmu.size != 0 ? board.smmu.begin : 0;
    out.smmu_interrupt = board.smmu_interrupt;
    if (board.pci) out.pci_io = board.pci->window.begin, out.pci_io_size = board.pci->window.size;
    return out;
}

}  // namespace

std::expected<Bytes, std::string> describe_system(const Plan& plan, const OwnMemory& own, const PackOptions& options) {
    Tables tables;
    const std::vector<std::uint32_t> load = load_of(plan);
    const std::uint32_t uart_cpu = least_loaded_cpu(load);
    const Costs costs = costs_of(*plan.board);
    const auto activation = static_cast<std::uint32_t>(costs.preempt + costs.change);
    for (std::uint32_t n = 0; n < plan.board->cpus.size(); ++n) {
        const std::uint32_t tick_us = options.tick_us != 0 && load[n] != 0 ? options.tick_us
                                      : n == uart_cpu                      ? shared_tick(*plan.board, options)
                                                                           : 0;
        tables.cpus.push_back({plan.board->cpus[n], static_cast<std::uint32_t>(plan.slices[n] / 1000), tick_us, activation});
    }
    for (std::size_t n = 0; n < plan.partitions.size(); ++n)
        add_partition(*plan.board, plan.partitions[n], static_cast<std::uint32_t>(n), tables);
    for (const PlannedChannel& channel : plan.channels) tables.channels.push_back(describe_channel(channel));
    add_frames(plan, tables);

    partita_image_header header{};
    header.magic = PARTITA_IMAGE_MAGIC;
    header.version = PARTITA_IMAGE_VERSION;
    header.flags = (options.framed_console ? PARTITA_IMAGE_FRAMED_CONSOLE : 0) | (options.off_when_done ? PARTITA_IMAGE_OFF_WHEN_DONE : 0);
    header.epoch = options.epoch;
    header.board = describe_board(*plan.board);
    header.board.uart_cpu = uart_cpu;
    Bytes bytes(sizeof header);
    append(bytes, header.cpus, tables.cpus);
    append(bytes, header.partitions, tables.partitions);
    append(bytes, header.vcpus, tables.vcpus);
    append(bytes, header.regions, tables.regions);
    append(bytes, header.copies, tables.copies);
    append(bytes, header.patches, tables.patches);
    append(bytes, header.interrupts, tables.interrupts);
    append(bytes, header.masters, tables.masters);
    append(bytes, header.channels, tables.channels);
    append(bytes, header.ports, tables.ports);
    append(bytes, header.virtio, tables.virtio);
    append(bytes, header.frames, tables.frames);
    append(bytes, header.windows, tables.windows);
    bytes.resize((bytes.size() + 7) / 8 * 8);
    header.size = static_cast<std::uint32_t>(bytes.size());
    header.hypervisor_base = own.base;
    constexpr std::uint64_t root_alignment = 0x4000;
    header.pool_base = own.base + (own.description_offset + bytes.size() + root_alignment - 1) / root_alignment * root_alignment;
    header.pool_size = pool_needed(plan, own);
    header.hypervisor_end = header.pool_base + header.pool_size;
    if (options.trace_bytes != 0) {
        header.trace_size = options.trace_bytes;
        header.trace_base = (header.hypervisor_end + options.trace_bytes - 1) / options.trace_bytes * options.trace_bytes;
        header.hypervisor_end = header.trace_base + header.trace_size * tables.cpus.size();
    }
    std::memcpy(bytes.data(), &header, sizeof header);
    header.checksum = image_checksum(std::as_bytes(std::span{bytes}));
    std::memcpy(bytes.data(), &header, sizeof header);

    if (const auto checked = check_image(std::as_bytes(std::span{bytes})); !checked)
        return std::unexpected(fmt::format("the hypervisor would refuse this system: {} (record {})", describe(checked.error().fault),
                                           checked.error().record));
    return bytes;
}

}  // namespace partita::tool
