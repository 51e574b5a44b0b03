#include "control/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

namespace partita::tool {

namespace {

using Json = nlohmann::ordered_json;

// Exception classes of HSR.EC (DDI 0406C.d table B3-25); class 0 is the hypervisor's own count of interrupts.
[[nodiscard]] std::string cause_name(std::size_t exception_class) {
    switch (exception_class) {
        case 0x00: return "interrupt";
        case 0x01: return "wfi";
        case 0x03: return "cp15";
        case 0x04: return "cp15-64";
        case 0x05: return "cp14";
        case 0x06: return "cp14-memory";
        case 0x07: return "vfp";
        case 0x08: return "vfp-id";
        case 0x0a: return "jazelle";
        case 0x0c: return "cp14-64";
        case 0x11: return "svc";
        case 0x12: return "hvc";
        case 0x13: return "smc";
        case 0x20: return "prefetch-abort";
        case 0x21: return "hyp-prefetch-abort";
        case 0x24: return "data-abort";
        case 0x25: return "hyp-data-abort";
        default: return fmt::format("class-{:#x}", exception_class);
    }
}

[[nodiscard]] std::vector<std::uint32_t> bits_of(std::uint32_t mask) {
    std::vector<std::uint32_t> out;
    for (std::uint32_t n = 0; n < 32; ++n)
        if ((mask >> n & 1u) != 0) out.push_back(n);
    return out;
}

[[nodiscard]] std::string list_of(std::uint32_t mask) { return fmt::format("{}", fmt::join(bits_of(mask), ",")); }

[[nodiscard]] std::string memory_text(std::uint32_t kib) {
    return kib % 1024 == 0 ? fmt::format("{} MiB", kib / 1024) : fmt::format("{} KiB", kib);
}

[[nodiscard]] double seconds(std::uint64_t ticks, std::uint32_t frequency) {
    return frequency != 0 ? static_cast<double>(ticks) / frequency : 0;
}

[[nodiscard]] std::string duration_text(double s) {
    if (s < 100) return fmt::format("{:.3f} s", s);
    if (s < 7200) return fmt::format("{:.0f} min", s / 60);
    return s < 172'800 ? fmt::format("{:.0f} h", s / 3600) : fmt::format("{:.0f} days", s / 86'400);
}

// How many of them there are to tell.
[[nodiscard]] std::span<const partita_end> ends_of(const partita_history& history) {
    const auto* const last = std::find_if(std::begin(history.end), std::end(history.end), [](const auto& end) { return end.life == 0; });
    return {std::begin(history.end), last};
}

[[nodiscard]] double due_in(const partita_history& history) {
    return history.due > history.now ? seconds(history.due - history.now, history.frequency) : 0;
}

[[nodiscard]] std::string history_text(const partita_history& history) {
    std::string out;
    if (history.due != 0) out += fmt::format("  next      is started again in {}\n", duration_text(due_in(history)));
    if (history.ends == 0) return out;
    out += fmt::format("  ends      {} since boot\n", history.ends);
    for (const partita_end& end : ends_of(history))
        out += fmt::format("            life {}: {}, after {}; {} ago\n", end.life, reason_name(end.reason),
                           duration_text(seconds(end.lasted, history.frequency)),
                           duration_text(seconds(history.now - end.at, history.frequency)));
    return out;
}

[[nodiscard]] Json history_json(const partita_history& history) {
    Json ends = Json::array();
    for (const partita_end& end : ends_of(history))
        ends.push_back({{"life", end.life},
                        {"reason", reason_name(end.reason)},
                        {"lasted_s", seconds(end.lasted, history.frequency)},
                        {"ago_s", seconds(history.now - end.at, history.frequency)}});
    Json out{{"count", history.ends}, {"last", ends}};
    out["starts_again_in_s"] = history.due != 0 ? Json(due_in(history)) : Json(nullptr);
    return out;
}

// Why this life began, or the last ended.
[[nodiscard]] const char* why_of(const partita_partition_state& state) {
    if ((state.is & PARTITA_IS_EMPTY) != 0) return "a place of the pool";
    return state.starts == 0 ? "not started yet" : reason_name(state.reason);
}

[[nodiscard]] Json partition_json(const RunningPartition& one) {
    const partita_partition_state& state = one.state;
    return {{"name", one.name()},
            {"state", state_name(state)},
            {"reason", why_of(state)},
            {"starts", state.starts},
            {"parent", state.itself != 0},
            {"pool", (state.is & PARTITA_IS_OF_POOL) != 0},
            {"loaded", (state.is & PARTITA_IS_LOADED) != 0},
            {"vcpus", state.vcpus},
            {"vcpus_on", bits_of(state.vcpus_on)},
            {"cpus", bits_of(state.cpus)},
            {"memory_kib", state.memory},
            {"messages_sent", state.sent},
            {"messages_received", state.received}};
}

}  // namespace

const char* state_name(const partita_partition_state& state) {
    return (state.is & PARTITA_IS_EMPTY) != 0 ? "empty" : phase_name(state.phase);
}

const char* phase_name(std::uint32_t phase) {
    switch (phase) {
        case PARTITA_PHASE_OFF: return "off";
        case PARTITA_PHASE_LOADING: return "starting";
        case PARTITA_PHASE_RUNNING: return "running";
        case PARTITA_PHASE_PAUSED: return "paused";
        case PARTITA_PHASE_STOPPING: return "stopping";
        case PARTITA_PHASE_PAUSING: return "pausing";
        default: return "unknown";
    }
}

const char* reason_name(std::uint32_t reason) {
    switch (reason) {
        case PARTITA_RESET_POWER_ON: return "power-on";
        case PARTITA_RESET_GUEST: return "reset itself";
        case PARTITA_RESET_EXIT: return "powered itself off";
        case PARTITA_RESET_FAULT: return "fault";
        case PARTITA_RESET_WATCHDOG: return "watchdog";
        case PARTITA_RESET_MANAGER: return "asked for";
        default: return "unknown";
    }
}

std::string list_as_text(const std::vector<RunningPartition>& all) {
    std::string out = fmt::format("{:<16} {:<9} {:>6} {:<8} {:>10} {:>10} {:>10}  {}\n", "NAME", "STATE", "STARTS", "CPUS", "MEMORY",
                                  "SENT", "RECEIVED", "WHY");
    for (const RunningPartition& one : all)
        out += fmt::format("{:<16} {:<9} {:>6} {:<8} {:>10} {:>10} {:>10}  {}\n", one.name(), state_name(one.state), one.state.starts,
                           list_of(one.state.cpus), memory_text(one.state.memory), one.state.sent, one.state.received, why_of(one.state));
    return out;
}

std::string list_as_json(const std::vector<RunningPartition>& all) {
    Json out = Json::array();
    for (const RunningPartition& one : all) out.push_back(partition_json(one));
    return out.dump(2) + "\n";
}

std::string info_as_text(const PartitionStats& one) {
    const partita_partition_state& state = one.partition.state;
    std::string out = fmt::format("{}{}\n", one.partition.name(), state.itself != 0 ? " (the parent partition)" : "");
    out += fmt::format("  state     {}, start {}, {}\n", state_name(state), state.starts, why_of(state));
    if ((state.is & PARTITA_IS_LOADED) != 0) out += "  runs      what it was given at run time\n";
    out += fmt::format("  memory    {}\n", memory_text(state.memory));
    out += fmt::format("  messages  {} sent, {} received\n", state.sent, state.received);
    for (std::size_t n = 0; n < one.vcpus.size(); ++n) {
        const partita_vcpu_state& vcpu = one.vcpus[n];
        out += fmt::format("  vcpu{:<4}  CPU {}, priority {}, {}\n", n, vcpu.cpu, vcpu.priority, vcpu.on != 0 ? "on" : "off");
    }
    if (one.history) out += history_text(*one.history);
    return out;
}

std::string stats_as_text(const std::vector<PartitionStats>& all) {
    std::string out = fmt::format("{:<20} {:>3} {:>12} {:>12}  {}\n", "VCPU", "CPU", "RAN", "STOLEN", "EXITS");
    for (const PartitionStats& one : all)
        for (std::size_t n = 0; n < one.vcpus.size(); ++n) {
            const partita_vcpu_state& vcpu = one.vcpus[n];
            std::string exits;
            for (std::size_t cause = 0; cause < std::size(vcpu.exits); ++cause)
                if (vcpu.exits[cause] != 0)
                    exits += fmt::format("{}{} {}", exits.empty() ? "" : ", ", vcpu.exits[cause], cause_name(cause));
            out += fmt::format("{:<20} {:>3} {:>10.3f} s {:>10.3f} s  {}\n", fmt::format("{}/vcpu{}", one.partition.name(), n), vcpu.cpu,
                               seconds(vcpu.ran, vcpu.frequency), seconds(vcpu.stolen, vcpu.frequency), exits);
        }
    return out;
}

std::string stats_as_json(const std::vector<PartitionStats>& all) {
    Json out = Json::array();
    for (const PartitionStats& one : all) {
        Json partition = partition_json(one.partition);
        Json vcpus = Json::array();
        for (const partita_vcpu_state& vcpu : one.vcpus) {
            Json exits = Json::object();
            for (std::size_t cause = 0; cause < std::size(vcpu.exits); ++cause)
                if (vcpu.exits[cause] != 0) exits[cause_name(cause)] = vcpu.exits[cause];
            vcpus.push_back({{"cpu", vcpu.cpu},
                             {"priority", vcpu.priority},
                             {"on", vcpu.on != 0},
                             {"ran_s", seconds(vcpu.ran, vcpu.frequency)},
                             {"stolen_s", seconds(vcpu.stolen, vcpu.frequency)},
                             {"exits", exits}});
        }
        partition["vcpu"] = vcpus;
        if (one.history) partition["ends"] = history_json(*one.history);
        out.push_back(partition);
    }
    return out.dump(2) + "\n";
}

}  // namespace partita::tool
