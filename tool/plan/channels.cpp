#include "plan/channels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "config/units.hpp"
#include "message/channel_storage.hpp"
#include "message/port_lines.hpp"
#include "plan/channel_memory.hpp"
#include "plan/ownership.hpp"

namespace partita::tool {

using std::uint32_t;

namespace {

constexpr uint32_t first_interrupt = 64;  // below are the platform's devices, and those of the board that partitions mostly have

// 0: no kind; that was told already.
[[nodiscard]] uint32_t kind_of(const std::string& word) {
    if (word == "doorbell") return PARTITA_CHANNEL_DOORBELL;
    if (word == "sampling") return PARTITA_CHANNEL_SAMPLING;
    if (word == "queuing") return PARTITA_CHANNEL_QUEUING;
    return word == "memory" ? PARTITA_CHANNEL_MEMORY : 0;
}

class ChannelPlanner {
public:
    ChannelPlanner(const ChannelDescription& description, Plan& plan, Diagnostics& diagnostics)
        : description_(description), plan_(plan), diagnostics_(diagnostics) {}

    // Everything about the channel itself. Its ends are added only when they can be.
    void check() {
        out_.name = description_.name.value;
        out_.place = description_.place;
        out_.kind = kind_of(description_.kind.value);
        out_.told = description_.told.value;
        check_name();
        if (out_.kind != 0) check_kind();
        good_ = good_ && out_.kind != 0;
        add_ends();
        if (good_) plan_.channels.push_back(out_);
    }

private:
    void wrong(const Place& place, const std::string& text) {
        good_ = false;
        diagnostics_.error(place, fmt::format("channel \"{}\": {}", out_.name, text));
    }

    // What the kind needs, and what is of another.
    void check_kind() {
        check_message();
        check_depth();
        check_channel_memory(description_, out_, [this](const Place& place, const std::string& text) { wrong(place, text); });
        check_time(description_.refresh, "refresh", out_.kind == PARTITA_CHANNEL_SAMPLING, "a sampling channel");
        check_time(description_.interval, "interval", rings(), "a doorbell or memory");
        if (out_.told && out_.kind != PARTITA_CHANNEL_SAMPLING)
            wrong(description_.told.place,
                  "told is for sampling channels; the others always tell their receiver by an interrupt, so take it out");
    }

    [[nodiscard]] bool rings() const { return out_.kind == PARTITA_CHANNEL_DOORBELL || out_.kind == PARTITA_CHANNEL_MEMORY; }

    void check_name() {
        if (out_.name.empty()) {
            good_ = false;  // told already
        } else if (!is_good_name(out_.name)) {
            wrong(description_.name.place,
                  fmt::format("this cannot be its name; use letters, digits, - and _, at most {}", PARTITA_NAME_SIZE - 1));
        }
    }

    void check_message() {
        const auto& message = description_.message;
        if (rings()) {
            const char* const what = out_.kind == PARTITA_CHANNEL_MEMORY ? "memory" : "a doorbell";
            if (message) wrong(message->place, fmt::format("{} carries no message; take this out, or make it kind = \"queuing\"", what));
            return;
        }
        if (!message) return wrong(description_.place, "it needs the size of its longest message; add a line like: message = \"64 B\"");
        if (message->value == 0 || message->value > PARTITA_LONGEST_MESSAGE)
            return wrong(message->place, fmt::format("a message can have 1 B to 4 KiB, not {}; larger data go through several messages",
                                                     format_size(message->value)));
        out_.message_size = static_cast<uint32_t>(message->value);
    }

    void check_depth() {
        const auto& depth = description_.depth;
        if (out_.kind != PARTITA_CHANNEL_QUEUING) {
            if (depth) wrong(depth->place, "depth is for queuing channels; take it out");
            return;
        }
        if (!depth) return wrong(description_.place, "it needs to be said how many messages it holds; add a line like: depth = 16");
        if (depth->value == 0 || depth->value > PARTITA_DEEPEST_QUEUE)
            return wrong(depth->place, fmt::format("a queue can hold 1 to {} messages, not {}", PARTITA_DEEPEST_QUEUE, depth->value));
        out_.depth = static_cast<uint32_t>(depth->value);
    }

    void check_time(const std::optional<Placed<std::uint64_t>>& time, const char* key, bool fits, const char* whose) {
        if (!time) return;
        if (!fits) return wrong(time->place, fmt::format("{} is for {}; take it out", key, whose));
        constexpr std::uint64_t unit = 1000, longest = PARTITA_LONGEST_TIME_US * unit;
        if (time->value == 0 || time->value % unit != 0 || time->value > longest)
            return wrong(time->place,
                         fmt::format("{} can be whole microseconds, from 1 us to 60 s, not {}", key, format_time(time->value)));
        out_.time_us = static_cast<uint32_t>(time->value / unit);
    }

    [[nodiscard]] std::optional<std::size_t> partition_of(const Placed<std::string>& name) {
        std::vector<std::string> known;
        for (std::size_t n = 0; n < plan_.partitions.size(); ++n) {
            if (plan_.partitions[n].name == name.value) return n;
            known.push_back(plan_.partitions[n].name);
        }
        wrong(name.place, fmt::format("there is no partition \"{}\"; {}", name.value, suggest(name.value, known)));
        return std::nullopt;
    }

    void add_ends() {
        if (description_.from.value.empty()) good_ = false;  // told already
        if (!description_.from.value.empty())
            if (const auto from = partition_of(description_.from)) out_.from = *from;
        if (description_.to.empty() && good_) wrong(description_.to_place, "nobody receives; write to = \"NAME\"");
        if (description_.to.size() > 1 && out_.kind != PARTITA_CHANNEL_SAMPLING)
            wrong(description_.to[1].place, "only a sampling channel has several receivers; add a channel for each");
        for (const Placed<std::string>& name : description_.to) {
            const auto to = partition_of(name);
            if (!to) continue;
            if (name.value == description_.from.value) wrong(name.place, "a partition does not send to itself; name another");
            if (std::find(out_.to.begin(), out_.to.end(), *to) != out_.to.end())
                wrong(name.place, fmt::format("\"{}\" is named twice; leave one out", name.value));
            out_.to.push_back(*to);
        }
    }

    const ChannelDescription& description_;
    Plan& plan_;
    Diagnostics& diagnostics_;
    PlannedChannel out_;
    bool good_ = true;
};

// The lowest interrupt that nothing of the partition has.
[[nodiscard]] std::optional<uint32_t> free_interrupt(const PlannedPartition& partition) {
    for (uint32_t id = first_interrupt; id < PARTITA_MAX_INTERRUPTS; ++id) {
        const auto& messages = partition.messages;
        const bool taken =
            std::any_of(partition.routes.begin(), partition.routes.end(), [&](const PlannedRoute& route) { return route.intid == id; }) ||
            std::any_of(partition.ports.begin(), partition.ports.end(), [&](const PlannedPort& port) { return port.interrupt == id; }) ||
            std::any_of(partition.virtio.begin(), partition.virtio.end(),
                        [&](const PlannedVirtio& device) { return device.interrupt == id; }) ||
            (messages && id >= messages->first && id < messages->first + messages->count);
        if (!taken) return id;
    }
    return std::nullopt;
}

// Who uses a partition's end of a channel: itself, or the server of its virtio console, or of RPMsg, which has queues alone.
[[nodiscard]] std::size_t user_of(const Plan& plan, std::size_t owner, std::size_t number) {
    const PlannedChannel& channel = plan.channels[number];
    for (const PlannedVirtio& device : plan.partitions[owner].virtio)
        if (device.has_ports() && (device.rpmsg ? channel.kind == PARTITA_CHANNEL_QUEUING : channel.message_size != 0))
            return device.server;
    return owner;
}

void add_port(Plan& plan, std::size_t of, std::size_t channel, uint32_t flags, const Place& place, Diagnostics& diagnostics) {
    PlannedPartition& owner = plan.partitions[user_of(plan, of, channel)];
    const auto interrupt = free_interrupt(owner);
    if (!interrupt)
        return diagnostics.error(
            place, fmt::format("\"{}\" has no interrupt left for channel \"{}\"; leave one of its channels or devices out", owner.name,
                               plan.channels[channel].name));
    owner.ports.push_back({.channel = channel, .owner = of, .flags = flags, .interrupt = *interrupt});
    owner.interrupts = std::max(owner.interrupts, (*interrupt + 32) / 32 * 32);
}

void check_names(const SystemDescription& system, Diagnostics& diagnostics) {
    std::map<std::string, Place> seen;
    for (const ChannelDescription& channel : system.channels) {
        const auto [first, is_new] = seen.emplace(channel.name.value, channel.name.place);
        if (!is_new && !channel.name.value.empty())
            diagnostics.error(channel.name.place, fmt::format("two channels are called \"{}\": this one and the one at line {}; rename one",
                                                              channel.name.value, first->second.line));
    }
}

// That they fit into what the hypervisor has for them.
void check_room(const SystemDescription& system, const Plan& plan, Diagnostics& diagnostics) {
    std::size_t ports = 0;
    std::uint64_t size = 0;
    for (std::size_t n = 0; n < plan.channels.size(); ++n) {
        const PlannedChannel& channel = plan.channels[n];
        ports += 1 + channel.to.size();
        size += channel_size({channel.kind, channel.message_size, channel.depth, channel.time_us},
                             static_cast<uint32_t>(plan.board->cpus.size()));
        const Place& place = system.channels[n].place;
        if (n >= PARTITA_MAX_CHANNELS)
            return diagnostics.error(place, fmt::format("more than {} channels; leave this one out", PARTITA_MAX_CHANNELS));
        if (ports > PARTITA_MAX_PORTS)
            return diagnostics.error(
                place, fmt::format("the channels have more than {} ends; leave this one out, or a receiver", PARTITA_MAX_PORTS));
        if (size > PARTITA_CHANNELS_SIZE)
            return diagnostics.error(
                place, fmt::format("with this channel the messages of all take {}; the hypervisor keeps at most {}: make one less deep",
                                   format_size(size), format_size(PARTITA_CHANNELS_SIZE)));
    }
}

// That each PL061 has lines, and enough of them.
void check_lines(const Plan& plan, Diagnostics& diagnostics) {
    for (const PlannedPartition& partition : plan.partitions) {
        if (!partition.has_gpio()) continue;
        uint32_t lines = 0;
        for (const PlannedPort& port : partition.ports) (void)lines_of(plan.channels[port.channel].kind, port.sends(), lines);
        const Place& place = partition.description->gpio.place;
        if (lines == 0)
            diagnostics.error(place, fmt::format("\"{}\" has a gpio, but no doorbell or memory that would have a line there; take it out",
                                                 partition.name));
        if (lines > PARTITA_GPIO_LINES)
            diagnostics.error(place,
                              fmt::format("the doorbells of \"{}\", and two for each of its memory, are {} lines; its gpio has {}: leave "
                                          "a channel out",
                                          partition.name, lines, PARTITA_GPIO_LINES));
    }
}

}  // namespace

void plan_channels(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics) {
    check_names(system, diagnostics);
    for (const ChannelDescription& description : system.channels) ChannelPlanner{description, plan, diagnostics}.check();
    if (plan.channels.size() != system.channels.size()) return;
    check_room(system, plan, diagnostics);
    for (std::size_t n = 0; n < plan.channels.size(); ++n) {
        const Place& place = system.channels[n].place;
        add_port(plan, plan.channels[n].from, n, PARTITA_PORT_SENDS, place, diagnostics);
        for (const std::size_t to : plan.channels[n].to)
            add_port(plan, to, n, plan.channels[n].told ? PARTITA_PORT_TOLD : 0, place, diagnostics);
        if (plan.channels[n].kind == PARTITA_CHANNEL_MEMORY) place_channel_memory(plan, n, place, diagnostics);
    }
    // Their numbers are what programs know their own ends by.
    for (std::size_t n = 0; n < plan.partitions.size(); ++n)
        std::sort(plan.partitions[n].ports.begin(), plan.partitions[n].ports.end(), [&](const PlannedPort& a, const PlannedPort& b) {
            return std::tuple{a.owner != n, a.channel, a.owner} < std::tuple{b.owner != n, b.channel, b.owner};
        });
    check_lines(plan, diagnostics);
}

GuestPort guest_port(const Plan& plan, const PlannedPort& port) {
    const PlannedChannel& channel = plan.channels[port.channel];
    GuestPort made;
    made.channel = channel.name;
    made.sends = port.sends();
    made.uncached = channel.uncached;
    for (const PlannedPart& part : port.parts) made.memory.push_back({name_of_part(part.part, made.sends), part.ipa, part.size});
    made.kind = channel.kind;
    made.message_size = channel.message_size, made.depth = channel.depth, made.time_us = channel.time_us;
    made.interrupt = port.interrupt;
    if (!made.sends) made.peers = {plan.partitions[channel.from].name};
    if (made.sends)
        for (const std::size_t to : channel.to) made.peers.push_back(plan.partitions[to].name);
    return made;
}

std::vector<GuestPort> guest_ports(const Plan& plan, const PlannedPartition& partition) {
    std::vector<GuestPort> out;
    for (const PlannedPort& port : partition.ports)
        if (&plan.partitions[port.owner] == &partition) out.push_back(guest_port(plan, port));
    return out;
}

}  // namespace partita::tool
