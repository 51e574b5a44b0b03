// A board: what its device tree says, and how QEMU starts it.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "partita/monitor.h"

namespace partita::tool {

struct AddressRange {
    std::uint64_t begin = 0, size = 0;
    [[nodiscard]] std::uint64_t end() const { return begin + size; }
    [[nodiscard]] bool overlaps(const AddressRange& other) const { return begin < other.end() && other.begin < end(); }
};

struct BoardInterrupt {
    std::uint32_t intid = 0;
    bool edge = false;
};

// A function on the PCI bus: what its configuration space holds once the hypervisor has programmed it.
struct PciFunction {
    std::uint32_t number = 0;  // device * 8 + function, on bus 0
    std::uint32_t pin = 1;     // of its interrupt: 1 is INTA
    std::uint32_t id = 0;      // device and vendor, as the first word reads
    std::array<std::uint32_t, 6> bars{}, masks{};
};

// A node of the board's device tree that has registers. Those of a PCI function are what its base address registers name.
struct BoardDevice {
    std::string path;
    std::vector<AddressRange> registers;
    std::vector<BoardInterrupt> interrupts;
    bool masters_bus = false;             // it reads and writes memory by itself
    int offset = 0;                       // of the node in the tree
    std::optional<std::uint32_t> stream;  // what the System MMU knows it by; none: nothing confines its DMA
    std::optional<PciFunction> pci;
    std::vector<std::string> needs;  // nodes of the board that it depends on and that no partition can have: resets, pins, power domains
};

// The bus that the functions are on: one host bridge, bus 0.
struct PciHost {
    std::string path;
    AddressRange config;  // ECAM
    AddressRange window;  // of memory, for base address registers, at the same address on the bus
};

// A GICv2m frame: a write of an interrupt's number to its page raises it.
struct MessageFrame {
    std::string path;
    AddressRange registers;
    std::uint32_t first = 0, count = 0;  // INTIDs
};

struct QemuMachine {
    std::string machine, cpu, memory;
    std::uint32_t cpus = 0;
    std::uint64_t frequency = 0;         // of the counter, in Hz
    std::vector<std::string> arguments;  // {disk:NAME:SIZE} is a file of this size
};

// Where the board's CPUs begin in the secure world, and no firmware is: what the monitor has there.
struct MonitorPlace {
    std::uint64_t memory = 0;  // of the secure world, 2 MiB aligned
    std::uint64_t uart = 0, power_at = 0;
    partita_power power = PARTITA_POWER_NONE;
    std::uint32_t frequency = 0;  // of the counter, in Hz, where the CPUs do not know it from reset on
    // NOR flash of the secure world, in which the CPUs begin, and its erase blocks; and the one that the system is started from. Size 0:
    // none.
    AddressRange flash;
    std::uint64_t flash_block = 0;
    AddressRange system_flash;
};

struct Board {
    std::string name, summary;
    std::vector<std::uint8_t> tree;  // flattened device tree
    QemuMachine qemu;
    std::uint64_t load_address = 0;    // of the hypervisor, 2 MiB aligned
    std::uint32_t tick_us = 0;         // a timer interrupt that the board needs at least this often on one CPU; 0: none
    std::uint64_t instruction_ps = 0;  // what an instruction of the hypervisor takes at most, on the average of a path, in picoseconds
    std::vector<std::uint32_t> cpus;   // MPIDR affinity of each
    std::vector<AddressRange> memory;
    AddressRange gicd, gicc, gich, gicv;
    AddressRange uart;
    std::uint32_t uart_interrupt = 0;
    std::uint32_t pmu_interrupt = 0;  // of each CPU's performance counters, a PPI; 0: none that is known
    std::string pmu_compatible;
    AddressRange smmu;  // size 0: none
    std::uint32_t smmu_interrupt = 0;
    std::optional<PciHost> pci;
    std::optional<MessageFrame> messages;
    std::optional<MonitorPlace> monitor;
    std::vector<BoardDevice> devices;

    // By path or alias.
    [[nodiscard]] const BoardDevice* find(const std::string& path_or_alias) const;
    [[nodiscard]] std::vector<std::string> device_names() const;
};

// The board of this name below `boards`; `trees` holds the device trees that were compiled with the tool, a board's folder
// may have its own (board.dtb). The error is a sentence.
[[nodiscard]] std::expected<Board, std::string> load_board(const std::string& name, const std::filesystem::path& boards,
                                                           const std::filesystem::path& trees);
[[nodiscard]] std::vector<std::string> board_names(const std::filesystem::path& boards);

}  // namespace partita::tool
