// One picture: the memory bar on the left, processors and devices on the right, a colour for each partition.
#include <fmt/format.h>

#include <algorithm>

#include "config/units.hpp"
#include "show/channels.hpp"
#include "show/draw.hpp"
#include "show/gantt.hpp"
#include "show/memory_map.hpp"
#include "show/show.hpp"

namespace partita::tool {

namespace {

using drawing::margin, drawing::width;
constexpr int bar_x = 170, bar_width = 300, right_x = 590, header = 86;

// Heights follow the logarithm of the size, so that 2 MiB can be read beside 512 MiB.
int height_of(const MapEntry& entry) {
    int height = 34;
    for (std::uint64_t size = 4u << 20; size <= entry.size; size *= 2) height += 8;
    return height;
}

std::string draw_memory(const Plan& plan, int& bottom) {
    std::string out = text(bar_x, header - 12, "physical memory", "h2");
    int y = header;
    for (const MapEntry& entry : memory_map(plan)) {
        const int height = height_of(entry);
        const bool own = entry.partition < 0;
        const std::string fill = entry.owner.empty() ? "#ffffff" : own ? "#d5dbe1" : colour(entry.partition);
        out += box(bar_x, y, bar_width, height, fill, entry.owner.empty() ? R"( stroke-dasharray="4 4")" : "");
        out += text(bar_x - 12, y + 13, fmt::format("{:#010x}", entry.begin), "mono", "end");
        out += text(bar_x + 14, y + 21, entry.owner.empty() ? "free" : entry.owner, "name");
        out += text(bar_x + bar_width - 12, y + 21, format_size(entry.size), "small", "end");
        if (height > 40 && !entry.owner.empty())
            out += text(bar_x + 14, y + 38, own ? entry.what : fmt::format("{}, seen at {:#010x}", entry.what, entry.ipa), "small");
        y += height + 3;
    }
    bottom = y;
    return out;
}

std::string draw_cpus(const Plan& plan, int& y) {
    std::string out = text(right_x, y - 12, "processors", "h2");
    for (std::size_t cpu = 0; cpu < plan.board->cpus.size(); ++cpu) {
        struct User {
            std::string label;
            int partition;
        };
        std::vector<User> users;
        for (std::size_t n = 0; n < plan.partitions.size(); ++n)
            for (std::size_t v = 0; v < plan.partitions[n].cpus.size(); ++v)
                if (plan.partitions[n].cpus[v] == cpu)
                    users.push_back({fmt::format("{} vCPU {}", plan.partitions[n].name, v), static_cast<int>(n)});
        out += text(right_x, y + 21, fmt::format("CPU {}", cpu), "name");
        constexpr int x = right_x + 62, whole = width - margin - right_x - 62;
        if (users.empty()) out += box(x, y, whole, 32, "#ffffff", R"( stroke-dasharray="4 4")") + text(x + 12, y + 21, "idle", "small");
        const int each = users.empty() ? 0 : whole / static_cast<int>(users.size());
        for (std::size_t n = 0; n < users.size(); ++n) {
            const int left = x + static_cast<int>(n) * each;
            out += box(left, y, each - 2, 32, colour(users[n].partition)) + text(left + 10, y + 21, users[n].label, "small");
        }
        y += 36;
        if (plan.slices[cpu] != 0) {
            out += text(x, y + 10, fmt::format("in turns of {} us", plan.slices[cpu] / 1000), "small");
            y += 18;
        }
    }
    return out;
}

std::string draw_devices(const Plan& plan, int& y) {
    y += 40;
    std::string out = text(right_x, y - 12, "devices and interrupts", "h2");
    const auto row = [&](const std::string& device, const std::string& owner, const std::string& fill, const std::string& interrupts) {
        out += box(right_x, y, width - margin - right_x, 42, fill);
        out += text(right_x + 12, y + 17, device, "name") + text(width - margin - 12, y + 17, owner, "small", "end");
        out += text(right_x + 12, y + 34, interrupts, "small");
        y += 46;
    };
    row("board console", "hypervisor", "#d5dbe1", fmt::format("carries all consoles; interrupt {}", plan.board->uart_interrupt));
    for (std::size_t n = 0; n < plan.partitions.size(); ++n) {
        const PlannedPartition& partition = plan.partitions[n];
        row("GIC, timer, uart", partition.name, colour(static_cast<int>(n)),
            fmt::format("virtual; uart interrupt {}", platform::pl011_interrupt));
        for (const PlannedVirtio& device : partition.virtio)
            row(device.name(), partition.name, colour(static_cast<int>(n)),
                fmt::format("{}, served by {}; interrupt {} (virtual)", device.place_in_words(), plan.partitions[device.server].name,
                            device.interrupt));
        for (const BoardDevice* const device : partition.devices) {
            std::string interrupts = "interrupt";
            for (const BoardInterrupt& interrupt : device->interrupts) interrupts += fmt::format(" {}", interrupt.intid);
            if (device->interrupts.empty()) interrupts = "no interrupt";
            if (device->pci && partition.messages) interrupts = "interrupts as messages";
            const std::string dma = !device->masters_bus ? "" : device->stream ? "; DMA confined" : "; DMA TRUSTED: reaches all memory";
            row(device->path, partition.name, device->masters_bus && !device->stream ? "#f2b8a0" : colour(static_cast<int>(n)),
                interrupts + dma);
        }
    }
    return out;
}

}  // namespace

std::string show_svg(const Plan& plan) {
    int memory_bottom = 0, right = header;
    const std::string memory = draw_memory(plan, memory_bottom);
    const std::string processors = draw_cpus(plan, right);
    const std::string devices = draw_devices(plan, right);
    int bottom = std::max(memory_bottom, right);
    const std::string channels = draw_channels(plan, bottom);
    const std::string schedules = draw_schedules(plan, bottom);
    return picture(fmt::format("{}: {}", plan.board->name, plan.board->summary), "memory, processors and devices with their owners",
                   bottom + margin, memory + processors + devices + channels + schedules);
}

}  // namespace partita::tool
