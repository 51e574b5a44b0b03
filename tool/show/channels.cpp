#include "show/channels.hpp"

#include <fmt/format.h>

#include "config/units.hpp"
#include "show/draw.hpp"

namespace partita::tool {

namespace {

std::string interrupt_of(const Plan& plan, std::size_t partition, std::size_t channel) {
    for (const PlannedPartition& user : plan.partitions)
        for (const PlannedPort& port : user.ports)
            if (port.channel == channel && port.owner == partition)
                return &user == &plan.partitions[partition]
                           ? fmt::format("{}/{}", user.name, port.interrupt)
                           : fmt::format("{} through {}/{}", plan.partitions[partition].name, user.name, port.interrupt);
    return plan.partitions[partition].name;
}

// What the first end writes, what the other does, and what both do.
std::string describe_memory(const PlannedChannel& channel) {
    std::string out;
    const auto add = [&](std::size_t part, const char* how) {
        if (channel.parts[part] != 0) out += fmt::format("{}{}{}", out.empty() ? "" : ", ", format_size(channel.parts[part]), how);
    };
    add(PlannedChannel::there, "");
    add(PlannedChannel::back, " back");
    add(PlannedChannel::common, " common");
    return fmt::format("memory, {}{}", out, channel.uncached ? ", uncached" : "");
}

std::string describe_channel(const PlannedChannel& channel) {
    const std::string time = format_time(std::uint64_t{channel.time_us} * 1000);
    switch (channel.kind) {
        case PARTITA_CHANNEL_DOORBELL:
            return channel.time_us != 0 ? fmt::format("doorbell, not more often than every {}", time) : "doorbell";
        case PARTITA_CHANNEL_SAMPLING:
            return fmt::format("sampling, {}{}", format_size(channel.message_size),
                               channel.time_us != 0 ? fmt::format(", valid for {}", time) : "");
        case PARTITA_CHANNEL_MEMORY: return describe_memory(channel);
        default: return fmt::format("queuing, {} of {}", channel.depth, format_size(channel.message_size));
    }
}

// An end: its partition, and the interrupt that tells it.
std::string draw_end(const Plan& plan, int x, int y, std::size_t partition, std::size_t channel) {
    constexpr int end_width = 150, end_height = 28;
    return box(x, y, end_width, end_height, colour(static_cast<int>(partition))) +
           text(x + 10, y + 19, interrupt_of(plan, partition, channel), "small");
}

}  // namespace

std::string channels_as_text(const Plan& plan) {
    std::string out;
    for (std::size_t n = 0; n < plan.channels.size(); ++n) {
        const PlannedChannel& channel = plan.channels[n];
        std::string to;
        for (const std::size_t each : channel.to) to += fmt::format("{}{}", to.empty() ? "" : ", ", interrupt_of(plan, each, n));
        out += fmt::format("{}  {:<24} {:<34} {} -> {}\n", n == 0 ? "\nchannels, with the interrupt of each end\n" : "", channel.name,
                           describe_channel(channel), interrupt_of(plan, channel.from, n), to);
    }
    return out;
}

std::string draw_channels(const Plan& plan, int& y) {
    constexpr int from_x = 170, line_x = 326, line_end = 716, to_x = 724, row = 34;
    if (plan.channels.empty()) return "";
    y += 40;
    std::string out = text(from_x, y - 12, "channels, with the interrupt of each end", "h2");
    for (std::size_t n = 0; n < plan.channels.size(); ++n) {
        const PlannedChannel& channel = plan.channels[n];
        out += draw_end(plan, from_x, y, channel.from, n);
        out += text(line_x + 4, y + 10, channel.name, "name") + text(line_end - 12, y + 10, describe_channel(channel), "small", "end");
        for (const std::size_t to : channel.to) {
            out += fmt::format(R"(<path d="M{} {} H{} m-6 -4 l6 4 l-6 4" fill="none" stroke="#5a6570"/>)", line_x, y + 16, line_end);
            out += draw_end(plan, to_x, y, to, n);
            y += row;
        }
    }
    return out;
}

}  // namespace partita::tool
