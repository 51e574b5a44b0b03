#include "plan/ownership.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>

#include "arch/address.hpp"
#include "boot/image_contents.hpp"
#include "partita/system_image.h"

namespace partita::tool {

bool is_good_name(const std::string& name) {
    std::array<char, PARTITA_NAME_SIZE> text{};  // as the hypervisor gets it, whose rule it is
    if (name.size() >= text.size() || name.find('\0') != std::string::npos) return false;
    std::copy(name.begin(), name.end(), text.begin());
    return partita::is_good_name(std::span<const char, PARTITA_NAME_SIZE>{text});
}

void plan_names(Plan& plan, Diagnostics& diagnostics) {
    std::map<std::string, Place> seen;
    if (plan.partitions.size() > PARTITA_MAX_PARTITIONS)
        diagnostics.error(plan.partitions[PARTITA_MAX_PARTITIONS].description->place,
                          fmt::format("more than {} partitions; leave this one out, or join two", PARTITA_MAX_PARTITIONS));
    std::vector<const PlannedPartition*> all;
    for (const PlannedPartition& partition : plan.partitions) all.push_back(&partition);
    for (const PlannedPartition& partition : plan.pooled) all.push_back(&partition);
    for (const PlannedPartition* const partition : all) {
        const Placed<std::string>& name = partition->description->name;
        if (name.value.empty()) continue;  // told already
        if (!is_good_name(name.value))
            diagnostics.error(name.place, fmt::format("\"{}\" cannot be a partition's name; use letters, digits, - and _, at most {}",
                                                      name.value, PARTITA_NAME_SIZE - 1));
        const auto [first, is_new] = seen.emplace(name.value, name.place);
        if (!is_new)
            diagnostics.error(name.place, fmt::format("two partitions are called \"{}\": this one and the one at line {}; rename one",
                                                      name.value, first->second.line));
    }
}

void plan_cpus(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics) {
    const std::size_t count = plan.board->cpus.size();
    plan.slices.assign(count, 0);
    std::map<std::uint64_t, Place> sections;
    std::set<std::uint64_t> windowed;
    for (const WindowDescription& window : system.windows)
        for (const auto& cpu : window.cpus) windowed.insert(cpu.value);
    for (const CpuDescription& cpu : system.cpus) {
        if (cpu.id.value >= count) {
            diagnostics.error(cpu.id.place,
                              fmt::format("board \"{}\" has no CPU {}; it has CPUs 0 to {}", plan.board->name, cpu.id.value, count - 1));
            continue;
        }
        if (const auto [first, is_new] = sections.emplace(cpu.id.value, cpu.id.place); !is_new)
            diagnostics.error(cpu.id.place, fmt::format("CPU {} is described twice: here and at line {}; leave one out", cpu.id.value,
                                                        first->second.line));
        constexpr std::uint64_t shortest = 100'000, longest = 1'000'000'000;
        if (cpu.slice.value != 0 && (cpu.slice.value < shortest || cpu.slice.value > longest))
            diagnostics.error(cpu.slice.place, "a slice must be between 100 us and 1 s");
        plan.slices[cpu.id.value] = cpu.slice.value;
    }
    std::map<std::uint64_t, std::pair<const PlannedPartition*, Place>> users;
    std::size_t vcpus = 0;
    for (PlannedPartition& partition : plan.partitions) {
        const PartitionDescription& description = *partition.description;
        if (description.cpus.empty() && description.cpus_place != description.place)
            diagnostics.error(description.cpus_place, "cpus is empty; name at least one physical CPU, like [0]");
        if (description.cpus.size() > PARTITA_MAX_VCPUS_PER_PARTITION)
            diagnostics.error(description.cpus_place,
                              fmt::format("partition \"{}\" has {} virtual CPUs; at most {} are possible", partition.name,
                                          description.cpus.size(), PARTITA_MAX_VCPUS_PER_PARTITION));
        vcpus += description.cpus.size();
        for (const auto& cpu : description.cpus) {
            partition.cpus.push_back(static_cast<std::uint32_t>(cpu.value));
            if (cpu.value >= count) {
                diagnostics.error(cpu.place,
                                  fmt::format("virtual CPU {} of \"{}\" is on CPU {}, which board \"{}\" lacks; it has CPUs 0 to {}",
                                              partition.cpus.size() - 1, partition.name, cpu.value, plan.board->name, count - 1));
                continue;
            }
            const auto [first, is_new] = users.emplace(cpu.value, std::pair{&partition, cpu.place});
            if (is_new || sections.contains(cpu.value) || windowed.contains(cpu.value)) continue;
            diagnostics.error(cpu.place,
                              fmt::format("CPU {} is claimed twice: by \"{}\" here and by \"{}\" at line {}; use another CPU, share it: "
                                          "[[cpu]] id = {}, slice = \"5 ms\", or give each its windows: [[schedule]] and [[window]]",
                                          cpu.value, partition.name, first->second.first->name, first->second.second.line, cpu.value));
        }
    }
    if (vcpus > PARTITA_MAX_VCPUS && !plan.partitions.empty())
        diagnostics.error(plan.partitions.back().description->cpus_place,
                          fmt::format("{} virtual CPUs in all; at most {} are possible", vcpus, PARTITA_MAX_VCPUS));
}

void plan_counters(const Plan& plan, Diagnostics& diagnostics) {
    std::map<std::uint32_t, std::size_t> load;
    for (const PlannedPartition& partition : plan.partitions)
        for (const std::uint32_t cpu : partition.cpus) ++load[cpu];
    for (const PlannedPartition& partition : plan.partitions) {
        if ((partition.flags & PARTITA_PMU) == 0) continue;
        const Place& place = partition.description->pmu.place;
        if (plan.board->pmu_interrupt == 0)
            diagnostics.error(place, fmt::format("\"{}\" cannot be given performance counters: the device tree of board \"{}\" names no "
                                                 "private interrupt for them (/pmu); leave pmu out",
                                                 partition.name, plan.board->name));
        for (const std::uint32_t cpu : partition.cpus)
            if (load[cpu] > 1) {
                diagnostics.error(place, fmt::format("\"{}\" cannot be given the performance counters of CPU {}: it runs {} virtual CPUs, "
                                                     "and counters are one virtual CPU's; use a CPU of its own, or leave pmu out",
                                                     partition.name, cpu, load[cpu]));
                break;
            }
    }
}

}  // namespace partita::tool
