#include "plan/networks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "config/units.hpp"
#include "plan/ownership.hpp"
#include "plan/server_devices.hpp"

namespace partita::tool {

using std::uint32_t;
using std::uint8_t;
using Mac = std::array<uint8_t, 6>;

namespace {

constexpr std::size_t most_ports = 15, most_networks = 4;  // of a switch, beside its uplink; of a server (parent/lan.cpp)
constexpr uint32_t virtio_network_card = 0x1041'1af4;

[[nodiscard]] std::optional<Mac> parse_mac(const std::string& text) {
    Mac out{};
    if (text.size() != 17) return std::nullopt;
    for (std::size_t n = 0; n < out.size(); ++n) {
        for (const std::size_t at : {n * 3, n * 3 + 1})
            if (std::isxdigit(static_cast<unsigned char>(text[at])) == 0) return std::nullopt;
        if (n < 5 && text[n * 3 + 2] != ':') return std::nullopt;
        out[n] = static_cast<uint8_t>(std::stoul(text.substr(n * 3, 2), nullptr, 16));
    }
    return out;
}

// Always the same for the same names; locally administered (IEEE 802-2014 §8.2).
[[nodiscard]] Mac made_mac(const std::string& partition, const std::string& network) {
    uint32_t hash = 0x811c'9dc5;  // FNV-1a
    for (const char c : fmt::format("{}/{}", partition, network)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x0100'0193u;
    Mac out{0x02, 0x50};
    for (std::size_t n = 0; n < 4; ++n) out[n + 2] = static_cast<uint8_t>(hash >> (24 - n * 8));
    return out;
}

class NetworkPlanner {
public:
    NetworkPlanner(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics)
        : system_(system), plan_(plan), diagnostics_(diagnostics), seen_(system.networks.size()) {}

    void run() {
        check_names();
        for (PlannedPartition& partition : plan_.partitions)
            for (PlannedVirtio& device : partition.virtio)
                if (device.network) join(partition, device);
        for (std::size_t n = 0; n < seen_.size(); ++n) finish(n);
    }

private:
    struct Member {
        PlannedPartition* partition;
        PlannedVirtio* device;
    };
    struct Seen {
        std::vector<Member> members;
        std::map<std::string, uint32_t> groups;
    };

    void check_names() {
        std::map<std::string, Place> names;
        for (const NetworkDescription& network : system_.networks) {
            if (network.name.value.empty()) continue;  // told already
            if (!is_good_name(network.name.value))
                diagnostics_.error(
                    network.name.place,
                    fmt::format("\"{}\" cannot be a network's name; use letters, digits, - and _, at most 31", network.name.value));
            if (const auto [first, is_new] = names.emplace(network.name.value, network.name.place); !is_new)
                diagnostics_.error(network.name.place,
                                   fmt::format("two networks are called \"{}\": this one and the one at line {}; rename one",
                                               network.name.value, first->second.line));
        }
    }

    void join(PlannedPartition& partition, PlannedVirtio& device) {
        PlannedNetwork& port = *device.network;
        const Placed<std::string>& name = port.description.name;
        const auto network =
            std::ranges::find(system_.networks, name.value, [](const NetworkDescription& each) { return each.name.value; });
        if (network == system_.networks.end()) {
            std::vector<std::string> known;
            for (const NetworkDescription& each : system_.networks) known.push_back(each.name.value);
            if (!name.value.empty())
                diagnostics_.error(name.place,
                                   fmt::format("there is no network \"{}\"; {}", name.value,
                                               known.empty() ? "add a [[network]] with this name" : suggest(name.value, known)));
            return;
        }
        port.network = static_cast<std::size_t>(network - system_.networks.begin());
        Seen& seen = seen_[port.network];
        for (const Member& other : seen.members) check_beside(partition, device, other);
        if (seen.members.size() == most_ports)
            diagnostics_.error(name.place, fmt::format("network \"{}\" has room for {} partitions; leave one out, or make a second network",
                                                       name.value, most_ports));
        seen.members.push_back({&partition, &device});
        give_address(partition, port);
        if (const auto& rate = port.description.rate; rate && (rate->value == 0 || rate->value > std::uint64_t{4} << 30))
            diagnostics_.error(rate->place, fmt::format("the rate of \"{}\" on network \"{}\" must be from 1 B to 4 GiB in a second",
                                                        partition.name, name.value));
        if (const auto& group = port.description.group)
            port.group = seen.groups.emplace(group->value, static_cast<uint32_t>(seen.groups.size() + 1)).first->second;
    }

    void check_beside(const PlannedPartition& partition, const PlannedVirtio& device, const Member& other) {
        const PortDescription& port = device.network->description;
        if (other.partition == &partition)
            diagnostics_.error(port.place, fmt::format("\"{}\" is on network \"{}\" twice: here and at line {}; take one out",
                                                       partition.name, port.name.value, other.device->place.line));
        else if (other.device->server != device.server)
            diagnostics_.error(
                port.place, fmt::format("network \"{}\" would be served by both \"{}\" and \"{}\" (for \"{}\"); give \"{}\" and "
                                        "\"{}\" the same server",
                                        port.name.value, plan_.partitions[device.server].name, plan_.partitions[other.device->server].name,
                                        other.partition->name, partition.name, other.partition->name));
    }

    void give_address(const PlannedPartition& partition, PlannedNetwork& port) {
        const PortDescription& description = port.description;
        const Place& place = description.mac ? description.mac->place : description.place;
        port.mac = made_mac(partition.name, description.name.value);
        if (description.mac) {
            const auto mac = parse_mac(description.mac->value);
            if (!mac || ((*mac)[0] & 1) != 0 || *mac == Mac{})
                return diagnostics_.error(place,
                                          fmt::format("\"{}\" is no address that a port can have; write one like \"02:00:00:00:00:01\", "
                                                      "whose first byte is even",
                                                      description.mac->value));
            port.mac = *mac;
        }
        const auto [first, is_new] = addresses_.emplace(port.mac, place);
        if (!is_new)
            diagnostics_.error(place,
                               fmt::format("the port of \"{}\" on network \"{}\" has the same address as the one at line {}; give it "
                                           "another with mac = \"02:...\"",
                                           partition.name, description.name.value, first->second.line));
    }

    // Its uplink is its server's, which is known by now.
    void finish(std::size_t number) {
        const NetworkDescription& network = system_.networks[number];
        const Seen& seen = seen_[number];
        if (seen.members.empty())
            return diagnostics_.error(network.place,
                                      fmt::format("nobody is on network \"{}\"; add a [[partition.network]] with name = \"{}\" to "
                                                  "a partition, or take it out",
                                                  network.name.value, network.name.value));
        const std::size_t server = seen.members.front().device->server;
        if (++served_[server] > most_networks)
            diagnostics_.error(network.place, fmt::format("\"{}\" would serve more than {} networks; give some to another server",
                                                          plan_.partitions[server].name, most_networks));
        for (const Member& member : seen.members) member.device->network->network = served_[server] - 1;
        if (!network.uplink) return;
        const BoardDevice* const card =
            find_driven(plan_, plan_.partitions[server], *network.uplink,
                        {virtio_network_card, "network card", fmt::format("network \"{}\"", network.name.value)}, diagnostics_);
        if (card == nullptr) return;
        if (const auto [first, is_new] = cards_.emplace(card, &network); !is_new)
            return diagnostics_.error(network.uplink->place,
                                      fmt::format("{} is the uplink of network \"{}\" already (line {}); a card has one", card->path,
                                                  first->second->name.value, first->second->place.line));
        if (const auto [first, is_new] = uplinks_.emplace(server, &network); !is_new)
            return diagnostics_.error(network.uplink->place,
                                      fmt::format("\"{}\" drives the uplink of network \"{}\" already (line {}), and has room for one; "
                                                  "give this network to another server",
                                                  plan_.partitions[server].name, first->second->name.value, first->second->place.line));
        for (const Member& member : seen.members) member.device->network->uplink = card;
    }

    const SystemDescription& system_;
    Plan& plan_;
    Diagnostics& diagnostics_;
    std::vector<Seen> seen_;
    std::map<Mac, Place> addresses_;
    std::map<std::size_t, std::size_t> served_;  // networks of each server
    std::map<const BoardDevice*, const NetworkDescription*> cards_;
    std::map<std::size_t, const NetworkDescription*> uplinks_;  // of each server
};

}  // namespace

void plan_networks(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics) {
    NetworkPlanner{system, plan, diagnostics}.run();
}

}  // namespace partita::tool
