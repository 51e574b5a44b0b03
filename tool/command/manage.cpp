#include "command/manage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "command/load.hpp"
#include "config/diagnostic.hpp"
#include "control/place.hpp"
#include "pack/guest.hpp"

namespace partita::tool {

namespace {

void add_system(CLI::App& command, std::string& system) {
    command.add_option("--system", system,
                       "The socket of a `partita run`, or a board's serial device; the only system that runs otherwise");
}

// How much of what it has, for a comparison with the running system.
void count(const PlannedPartition& partition, GuestToSend& out) {
    const PartitionDescription& description = *partition.description;
    out.vcpus = static_cast<std::uint32_t>(description.cpus.size());
    for (const auto& cpu : description.cpus) out.cpus |= 1u << cpu.value;
    for (const PlannedRegion& region : partition.regions)
        if ((region.flags & (PARTITA_REGION_DEVICE | PARTITA_REGION_SERVED)) == 0)
            out.memory += static_cast<std::uint32_t>(region.size >> 10);
    if (out.pooled) out.memory = static_cast<std::uint32_t>(description.memory.value >> 10);
}

[[nodiscard]] const char* meaning_of(std::string_view arguments) {
    if (arguments == "[NUMBER]") return "The schedule, counted from 0 as described";
    if (arguments == "NAME FILE") return "The partition, and the system.toml that describes it";
    return "The partition";
}

// What that partition is to run, as the file says. The whole file is checked, as for a boot.
[[nodiscard]] GuestToSend compile(const std::string& file, const std::string& name) {
    const auto failed = [](const std::string& words) { return std::runtime_error(words); };
    std::unique_ptr<Loaded> loaded;
    try {
        loaded = load({file, {}});
    } catch (const Failure& failure) {
        throw failed(failure.message);
    }
    const Plan& plan = loaded->plan;
    std::vector<std::string> names;
    for (const auto* const all : {&plan.pooled, &plan.partitions})
        for (const PlannedPartition& partition : *all) {
            names.push_back(partition.name);
            if (partition.name != name || partition.is_place()) continue;
            GuestToSend out;
            out.pooled = all == &plan.pooled;
            const auto place = std::find_if(plan.partitions.begin(), plan.partitions.end(), [](const auto& one) { return one.is_place(); });
            const std::vector<PlannedRegion>& regions = out.pooled ? place->regions : partition.regions;
            auto bytes = compile_guest(partition, regions);
            if (!bytes) throw failed(bytes.error());
            out.bytes = std::move(*bytes);
            count(partition, out);
            return out;
        }
    throw failed(fmt::format("{} describes no partition \"{}\"; {}", file, name, suggest(name, names)));
}

}  // namespace

void ManageArguments::add_to(CLI::App& app) {
    asked.compile = compile;
    for (const Word& word : words()) {
        auto* const command = app.add_subcommand(word.name, word.help);
        add_system(*command, system);
        if (word.most != 0) {
            auto* const argument = command->add_option(word.arguments, asked.arguments, meaning_of(word.arguments));
            argument->expected(static_cast<int>(word.least), static_cast<int>(word.most));
            if (word.least != 0) argument->required();
        }
        const std::string name = word.name;
        if (name == "events") command->add_flag("--follow", asked.follow, "Go on with what comes");
        if (name != "console") command->add_flag("--json", asked.json, "For programs");
        command->callback([this, &word] {
            Client client{reach(system)};
            word.act(client, asked);
        });
    }
    auto* const prompt = app.add_subcommand("shell", "A prompt with the words of the commands that act on a running system");
    add_system(*prompt, system);
    prompt->callback([this] {
        Client client{reach(system)};
        shell(client, compile);
    });
}

}  // namespace partita::tool
