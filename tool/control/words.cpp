#include "control/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "control/change.hpp"
#include "control/guests.hpp"
#include "control/report.hpp"
#include "run/facts.hpp"

namespace partita::tool {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto between_looks = std::chrono::milliseconds{50};
constexpr auto longest_wait = std::chrono::seconds{5};  // where news is lost on the way

void print(const std::string& text) {
    fmt::print("{}", text);
    std::fflush(stdout);
}

[[nodiscard]] PartitionStats stats_of(Client& client, const RunningPartition& partition) {
    PartitionStats out{partition, {}, {}};
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
    PartitionStats one = stats_of(client, client.find(asked.arguments[0]));
    one.history = client.history(one.partition.number);
    print(asked.json ? stats_as_json({one}) : info_as_text(one));
}

void stats(Client& client, const Asked& asked) {
    const auto all = stats_asked(client, asked);
    print(asked.json ? stats_as_json(all) : stats_as_text(all));
}

void change(Client& client, const Asked& asked, const Change& change) {
    const RunningPartition now = make(client, client.find(asked.arguments[0]), change);
    print(asked.json ? list_as_json({now}) : fmt::format("{}: {}\n", now.name(), change.done));
}

void start(Client& client, const Asked& asked) { change(client, asked, start_it); }
void stop(Client& client, const Asked& asked) { change(client, asked, stop_it); }
void pause(Client& client, const Asked& asked) { change(client, asked, pause_it); }
void resume(Client& client, const Asked& asked) { change(client, asked, resume_it); }
void restart(Client& client, const Asked& asked) { change(client, asked, restart_it); }

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
    {"load", "NAME FILE", 2, 2, "Give a partition that is off what FILE, a system.toml, says that it runs", load_guest},
    {"create", "NAME FILE", 2, 2, "Make a partition of the pool as FILE, a system.toml, describes it, and start it", create_guest},
    {"destroy", "NAME", 1, 1, "End a partition that was made at run time, and free its place", destroy_guest},
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
