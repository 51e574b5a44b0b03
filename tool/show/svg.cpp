// One picture: the memory bar on the left, processors and devices on the right, a colour for each partition.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/units.hpp"
#include "show/memory_map.hpp"
#include "show/show.hpp"

namespace partita::tool {

namespace {

// A palette that people with a colour deficiency can tell apart (Okabe and Ito), softened.
constexpr std::array<const char*, 8> colours{"#7fb3d5", "#f5b971", "#8fcfae", "#e39ab8", "#c9b6e4", "#f0dd78", "#9fd6e0", "#e8998d"};
constexpr int width = 960, margin = 32, bar_x = 170, bar_width = 300, right_x = 590, header = 86;

std::string escape(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '<' ? "&lt;" : c == '&' ? "&amp;" : c == '>' ? "&gt;" : std::string(1, c);
    return out;
}

std::string colour(int partition) { return colours[static_cast<std::size_t>(partition) % colours.size()]; }

std::string box(int x, int y, int w, int h, const std::string& fill, const char* more = "") {
    return fmt::format(R"(<rect x="{}" y="{}" width="{}" height="{}" rx="5" fill="{}" stroke="#44505c" stroke-width="1"{}/>)"
                       "\n",
                       x, y, w, h, fill, more);
}

std::string text(int x, int y, const std::string& words, const char* style = "", const char* anchor = "start") {
    return fmt::format(R"(<text x="{}" y="{}" text-anchor="{}" class="{}">{}</text>)"
                       "\n",
                       x, y, anchor, style, escape(words));
}

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
    row("board console", "hypervisor", "#d5dbe1", fmt::format("carries all channels; interrupt {}", plan.board->uart_interrupt));
    for (std::size_t n = 0; n < plan.partitions.size(); ++n) {
        const PlannedPartition& partition = plan.partitions[n];
        row("GIC, timer, uart", partition.name, colour(static_cast<int>(n)),
            fmt::format("virtual; uart interrupt {}", platform::pl011_interrupt));
        for (const BoardDevice* const device : partition.devices) {
            std::string interrupts = "interrupt";
            for (const BoardInterrupt& interrupt : device->interrupts) interrupts += fmt::format(" {}", interrupt.intid);
            row(device->path, partition.name, colour(static_cast<int>(n)), device->interrupts.empty() ? "no interrupt" : interrupts);
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
    const int height = std::max(memory_bottom, right) + margin;
    std::string out = fmt::format(
        R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="memory, processors and devices with their owners">)"
        "\n",
        width, height);
    out +=
        "<style>text{font-family:system-ui,'Segoe UI','DejaVu "
        "Sans',sans-serif;fill:#1f2a33}.h1{font-size:19px;font-weight:600}.h2{font-size:14px;font-weight:600;fill:#51606d}"
        ".name{font-size:14px;font-weight:600}.small{font-size:12px}.mono{font-size:12px;font-family:'DejaVu Sans "
        "Mono',ui-monospace,monospace;fill:#51606d}</style>\n";
    out += fmt::format(R"(<rect width="{}" height="{}" fill="#f7f9fa"/>)"
                       "\n",
                       width, height);
    out += text(margin, 36, fmt::format("{}: {}", plan.board->name, plan.board->summary), "h1");
    return out + memory + processors + devices + "</svg>\n";
}

}  // namespace partita::tool
