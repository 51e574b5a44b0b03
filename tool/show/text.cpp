#include <fmt/format.h>

#include "config/units.hpp"
#include "partita/system_image.h"
#include "show/channels.hpp"
#include "show/memory_map.hpp"
#include "show/show.hpp"

namespace partita::tool {

namespace {

std::string users_of(const Plan& plan, std::size_t cpu) {
    std::string out;
    for (const PlannedPartition& partition : plan.partitions)
        for (std::size_t n = 0; n < partition.cpus.size(); ++n)
            if (partition.cpus[n] == cpu) out += fmt::format("{}{}/vcpu{}", out.empty() ? "" : ", ", partition.name, n);
    return out.empty() ? "idle" : out;
}

// What keeps a device's accesses to memory inside its partition.
std::string confinement(const BoardDevice& device) {
    if (!device.masters_bus) return "";
    return device.stream ? fmt::format("; DMA confined, stream {:#x}", *device.stream) : "; DMA TRUSTED: reaches all memory";
}

}  // namespace

std::string show_text(const Plan& plan) {
    std::string out = fmt::format("board {}: {}\n\nmemory\n", plan.board->name, plan.board->summary);
    for (const MapEntry& entry : memory_map(plan)) {
        const std::string guest = entry.partition >= 0 ? fmt::format("guest sees it at {:#010x}", entry.ipa) : "";
        out += fmt::format("  {:#010x}  {:>10}  {:<12} {:<34} {}\n", entry.begin, format_size(entry.size),
                           entry.owner.empty() ? "-" : entry.owner, entry.what, guest);
    }
    out += "\nprocessors\n";
    for (std::size_t cpu = 0; cpu < plan.board->cpus.size(); ++cpu)
        out += fmt::format("  CPU {}  {}{}\n", cpu, users_of(plan, cpu),
                           plan.slices[cpu] != 0 ? fmt::format("  (slice {} us each)", plan.slices[cpu] / 1000) : "");
    out += "\ndevices and interrupts\n";
    out += fmt::format("  {:<24} hypervisor    interrupt {}\n", "board console", plan.board->uart_interrupt);
    if (plan.board->smmu.size != 0)
        out += fmt::format("  {:<24} hypervisor    interrupt {} (edge)\n", "System MMU", plan.board->smmu_interrupt);
    for (const PlannedPartition& partition : plan.partitions) {
        out += fmt::format("  {:<24} {:<12}  interrupt {} (virtual)\n", "uart", partition.name, platform::pl011_interrupt);
        if (partition.watchdog_ms != 0)
            out += fmt::format("  {:<24} {:<12}  interrupt {} (virtual), {} ms at most{}\n", "watchdog", partition.name,
                               platform::sp805_interrupt, partition.watchdog_ms,
                               (partition.flags & PARTITA_WATCHDOG_BOOT) != 0 ? ", from the start" : "");
        if (partition.is_parent())
            out += fmt::format("  {:<24} {:<12}  interrupts {} and {} (virtual)\n", "control channel", partition.name,
                               platform::control_interrupt, platform::events_interrupt);
        for (const PlannedVirtio& device : partition.virtio)
            out += fmt::format("  {:<24} {:<12}  interrupt {} (virtual), served by {}: {}\n", device.name(), partition.name,
                               device.interrupt, plan.partitions[device.server].name, device.place_in_words());
        if (partition.has_gpio())
            out += fmt::format("  {:<24} {:<12}  interrupt {} (virtual)\n", "gpio", partition.name, platform::pl061_interrupt);
        if (partition.messages)
            out += fmt::format("  {:<24} {:<12}  interrupts {} to {} (edge)\n", partition.messages->path, partition.name,
                               partition.messages->first, partition.messages->first + partition.messages->count - 1);
        for (const BoardDevice* const device : partition.devices) {
            std::string interrupts;
            for (const BoardInterrupt& interrupt : device->interrupts)
                interrupts += fmt::format(" {}{}", interrupt.intid, interrupt.edge ? " (edge)" : "");
            out += fmt::format("  {:<24} {:<12}  interrupt{}{}\n", device->path, partition.name,
                               device->pci && partition.messages ? "s as messages"
                               : interrupts.empty()              ? " none"
                                                                 : interrupts,
                               confinement(*device));
        }
    }
    if (!plan.pooled.empty()) out += "\nmade at run time (partita create)\n";
    for (const PlannedPartition& partition : plan.pooled)
        out += fmt::format("  {:<12} {:>8}, virtual CPUs: {}\n", partition.name, format_size(partition.description->memory.value),
                           partition.description->cpus.size());
    return out + channels_as_text(plan);
}

}  // namespace partita::tool
