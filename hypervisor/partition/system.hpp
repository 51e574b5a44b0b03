// All there is: the partitions, the CPUs, and what they share.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "machine/lock.hpp"
#include "machine/smmu.hpp"
#include "partition/entropy.hpp"
#include "partition/partition.hpp"
#include "schedule/cpu.hpp"

namespace partita {

struct System {
    const partita_image_header* image = nullptr;
    std::span<Partition> partitions;  // in the pool, as are the vCPUs
    std::uint32_t partition_count = 0;
    Partition* parent = nullptr;   // the one that manages by the control channel, if any
    Pl011 control;                 // ... whose second UART is its end of it,
    console::Ring control_output;  // and what that has to send
    std::array<Cpu, PARTITA_MAX_CPUS> cpus;
    std::uint32_t cpu_count = 0;
    std::span<VcpuSlot> vcpus;
    std::uint32_t list_registers = 0;
    std::array<Distributor*, PARTITA_MAX_INTERRUPTS> owner{};  // of each physical interrupt; nullptr: nobody's, or the hypervisor's
    ScheduleChange schedule_change;
    std::uint32_t schedules = 0;  // that are described
    Guarded<Entropy> entropy;
    Guarded<SmmuV3> smmu;  // not started where the board has none
    std::array<Master, PARTITA_MAX_MASTERS> masters;
    std::array<Channel, PARTITA_MAX_CHANNELS> channels;
    std::array<Port, PARTITA_MAX_PORTS> ports;
    std::uint32_t port_count = 0;
    std::array<VirtioDevice, PARTITA_MAX_VIRTIO> virtio;
    std::uint32_t virtio_count = 0;
    bool has_trusted_service = false;        // of the secure world, and partitions that may ask it
    std::atomic<bool> staging{false};        // somebody looks at
    partita_guest staged{};                  // ... a record that a partition is to be given (message/load.cpp)
    std::atomic<bool> halted{false};         // a partition's fault ended all of them: none begins a life any more
    std::atomic<std::uint32_t> alive{0};     // partitions that are not off
    std::atomic<std::uint32_t> standing{0};  // CPUs that do nothing any more
};

[[nodiscard]] System& system();

}  // namespace partita
