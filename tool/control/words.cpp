#include "control/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "control/report.hpp"
#include "run/facts.hpp"

namespace partita::tool {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto longest_change = std::chrono::seconds{30};
constexpr auto between_looks = std::chrono::milliseconds{50};
constexpr auto longest_wait = std::chrono::seconds{5};  // where news is lost on the way

void print(const std::string& text) {
    fmt::print("{}", text);
    std::fflush(stdout);
}

[[nodiscard]] PartitionStats stats_of(Client& client, const RunningPartition& partition) {
    PartitionStats out{partition, {}};
    for (std::uint32_t n = 0; n < partition.state.vcpus; ++n) out.vcpus.push_back(client.vcpu(partition.number, n));
    return out;
}

[[nodiscard]] std::vector<PartitionStats> stats_asked(Client& client, const Asked& asked) {
    std::vector<PartitionStats> out;
    if (!asked.arguments.empty()) return {stats_of(client, client.find(asked.arguments[0]))};
    for (const RunningPartition& one : client.partitions()) out.push_back(stats_of(client, one));
    return out;
}

void list(Client& client, const Asked& asked) {
    const auto all = client.partitions();
    print(asked.json ? list_as_json(all) : list_as_text(all));
}

void info(Client& client, const Asked& asked) {
    const PartitionStats one = stats_of(client, client.find(asked.arguments[0]));
    print(asked.json ? stats_as_json({one}) : info_as_text(one));
}

void stats(Client& client, const Asked& asked) {
    const auto all = stats_asked(client, asked);
    print(asked.json ? stats_as_json(all) : stats_as_text(all));
}

struct Change {
    partita_control action;
    std::uint32_t wanted;  // the phase in which it is done
    const char* done;
};

constexpr Change start_it{PARTITA_CONTROL_START, PARTITA_PHASE_RUNNING, "started"};
constexpr Change stop_it{PARTITA_CONTROL_STOP, PARTITA_PHASE_OFF, "stopped"};
constexpr Change pause_it{PARTITA_CONTROL_PAUSE, PARTITA_PHASE_PAUSED, "paused"};
constexpr Change resume_it{PARTITA_CONTROL_RESUME, PARTITA_PHASE_RUNNING, "resumed"};
constexpr Change restart_it{PARTITA_CONTROL_RESTART, PARTITA_PHASE_RUNNING, "restarted"};

[[nodiscard]] std::string remedy(const Change& change, std::uint32_t phase) {
    if (phase == PARTITA_PHASE_OFF) return "; `partita start` starts it";
    if (phase == PARTITA_PHASE_PAUSED && change.action != PARTITA_CONTROL_RESUME) return "; `partita resume` lets it go on";
    return "";
}

void refuse(const Change& change, const RunningPartition& partition, std::int32_t result) {
    if (result == PARTITA_WRONG_STATE)
        throw std::runtime_error(fmt::format("\"{}\" is {}: it cannot be {} now{}", partition.name(), phase_name(partition.state.phase),
                                             change.done, remedy(change, partition.state.phase)));
    if (result == PSCI_DENIED)
        throw std::runtime_error(
            partition.state.itself != 0
                ? fmt::format("\"{}\" is the parent partition: without it nobody could start it again", partition.name())
                : fmt::format("\"{}\": a fault has ended all partitions, for good", partition.name()));
    if (result == PARTITA_NOT_SUPPORTED)
        throw std::runtime_error("the parent partition does not know this request, or lacks the right `manage`");
    throw std::runtime_error(fmt::format("\"{}\" cannot be {}: {}", partition.name(), change.done, result));
}

// Asks, and waits until it is done. Who is just changing is asked again.
void make(Client& client, const Asked& asked, const Change& change) {
    const RunningPartition before = client.find(asked.arguments[0]);
    const auto end = Clock::now() + longest_change;
    std::int32_t result = client.control(before.number, change.action);
    while (result == PARTITA_BUSY && Clock::now() < end) {
        (void)client.read(between_looks);
        result = client.control(before.number, change.action);
    }
    if (result != PSCI_SUCCESS) refuse(change, client.partition(before.number), result);
    const bool anew = change.action == PARTITA_CONTROL_START || change.action == PARTITA_CONTROL_RESTART;
    for (;;) {
        const RunningPartition now = client.partition(before.number);
        if (now.state.phase == change.wanted && (!anew || now.state.starts != before.state.starts)) break;
        if (Clock::now() >= end)
            throw std::runtime_error(
                fmt::format("\"{}\" is still {} after {} s", now.name(), phase_name(now.state.phase), longest_change.count()));
        (void)client.read(between_looks);
    }
    print(asked.json ? list_as_json({client.partition(before.number)}) : fmt::format("{}: {}\n", before.name(), change.done));
}

void start(Client& client, const Asked& asked) { make(client, asked, start_it); }
void stop(Client& client, const Asked& asked) { make(client, asked, stop_it); }
void pause(Client& client, const Asked& asked) { make(client, asked, pause_it); }
void resume(Client& client, const Asked& asked) { make(client, asked, resume_it); }
void restart(Client& client, const Asked& asked) { make(client, asked, restart_it); }

void schedule(Client& client, const Asked& asked) {
    std::uint32_t wanted = ~0u;
    if (!asked.arguments.empty()) {
        const std::string& text = asked.arguments[0];
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), wanted);
        if (failed != std::errc{} || end != text.data() + text.size())
            throw std::runtime_error(fmt::format("\"{}\" is not the number of a schedule, as described, from 0 on", text));
        if (const ScheduleState is = client.schedule(~0u); wanted >= is.count)
            throw std::runtime_error(fmt::format("there is no schedule {}; there are {}, from 0 on", wanted, is.count));
    }
    const ScheduleState now = client.schedule(wanted);
    print(asked.json ? fmt::format("{{\"schedule\": {}, \"count\": {}}}\n", now.wanted, now.count)
                     : fmt::format("schedule {} of {}\n", now.wanted, now.count));
}

// The names of the partitions are all that is needed of a plan to put facts into words.
[[nodiscard]] Plan plan_of(Client& client) {
    Plan out;
    for (const RunningPartition& one : client.partitions()) {
        out.partitions.emplace_back();
        out.partitions.back().name = one.name();
    }
    return out;
}

void events(Client& client, const Asked& asked) {
    const Plan plan = plan_of(client);
    std::string line;
    std::uint32_t next = 0;
    bool whole = true;  // where something is gone already, what is left begins in the middle of a line
    for (;;) {
        const LogPart part = client.log(next);
        whole = whole && part.first == next;
        next = part.first + static_cast<std::uint32_t>(part.text.size());
        for (const char byte : part.text) {
            if (byte != '\n') {
                line += byte;
                continue;
            }
            if (whole) print(asked.json ? fact_as_json(parse_fact(line)) : tell(parse_fact(line), plan) + "\n");
            whole = true;
            line.clear();
        }
        if (!part.text.empty()) continue;
        if (!asked.follow) return;
        for (const auto end = Clock::now() + longest_wait; !client.news() && Clock::now() < end;)
            if (!client.read(between_looks)) throw std::runtime_error("the system has ended");
    }
}

void console(Client& client, const Asked& asked) { attach(client, asked.arguments[0]); }

constexpr Word all_words[] = {
    {"ps", "", 0, 0, "List the partitions of a running system", list},
    {"info", "NAME", 1, 1, "Tell what is known of a partition", info},
    {"start", "NAME", 1, 1, "Start a partition that is off", start},
    {"stop", "NAME", 1, 1, "Stop a partition; it stays off", stop},
    {"pause", "NAME", 1, 1, "Let none of a partition's virtual CPUs run", pause},
    {"resume", "NAME", 1, 1, "Let a paused partition go on", resume},
    {"restart", "NAME", 1, 1, "Begin another life of a partition", restart},
    {"schedule", "[NUMBER]", 0, 1, "Tell which schedule is in force, or change to another", schedule},
    {"stats", "[NAME]", 0, 1, "Tell processor time, stolen time and exits by cause", stats},
    {"events", "", 0, 0, "Tell what the hypervisor has logged", events},
    {"console", "NAME", 1, 1, "Talk to a partition's console", console},
};

}  // namespace

std::span<const Word> words() { return all_words; }

const Word* find_word(const std::string& name) {
    const auto* const found = std::find_if(std::begin(all_words), std::end(all_words), [&](const Word& word) { return name == word.name; });
    return found != std::end(all_words) ? found : nullptr;
}

}  // namespace partita::tool
