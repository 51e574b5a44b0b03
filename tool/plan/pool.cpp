#include "plan/pool.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch/address.hpp"
#include "config/units.hpp"
#include "partita/system_image.h"
#include "plan/channel_memory.hpp"
#include "plan/parent.hpp"

namespace partita::tool {

namespace {

constexpr std::uint64_t most_store = 0x4000'0000;

void place_store(const PoolDescription& pool, Plan& plan, Diagnostics& diagnostics) {
    PlannedPartition* const parent = parent_of(plan);
    const Placed<std::uint64_t>& size = pool.store;
    if (size.place == pool.place) return;  // told already
    // Its first page says what lies where.
    if (size.value % kPageSize != 0 || size.value < 2 * kPageSize || size.value > most_store)
        return diagnostics.error(size.place,
                                 fmt::format("store is {}; it can be a multiple of 4 KiB, from 8 KiB to 1 GiB", format_size(size.value)));
    if (parent == nullptr)
        return diagnostics.error(pool.place,
                                 "nobody would receive images at run time; add a parent partition (control = true), or take [pool] out");
    const auto at = free_address(*parent, size.value, platform::ram);
    if (!at)
        return diagnostics.error(size.place, fmt::format("the address space of \"{}\" has no room for a store of {}; give it less",
                                                         parent->name, format_size(size.value)));
    parent->store = {*at, size.value};
    parent->regions.push_back({"store", *at, 0, size.value, PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_KEPT});
}

void check_cpus(const PartitionDescription& description, const PoolDescription& pool, Diagnostics& diagnostics) {
    if (description.cpus.empty()) return;  // told already, or it has one all the same
    for (std::size_t n = 0; n < description.cpus.size(); ++n)
        if (n >= pool.cpus.size() || description.cpus[n].value != pool.cpus[n].value) {
            std::vector<std::uint64_t> cpus;
            for (const auto& cpu : pool.cpus) cpus.push_back(cpu.value);
            return diagnostics.error(description.cpus[n].place,
                                     fmt::format("virtual CPU {} of \"{}\" cannot run on CPU {}: those of the pool's partitions run on {}",
                                                 n, description.name.value, description.cpus[n].value, fmt::join(cpus, ", ")));
        }
}

void check_fits(const PartitionDescription& description, const PoolDescription& pool, Diagnostics& diagnostics) {
    const Placed<std::uint64_t>& memory = description.memory;
    check_cpus(description, pool, diagnostics);
    if (memory.place == description.place) return;  // told already
    if (memory.value == 0 || memory.value % kBlockSize != 0)
        diagnostics.error(memory.place, fmt::format("memory of \"{}\" is {}; it must be a multiple of 2 MiB", description.name.value,
                                                    format_size(memory.value)));
    else if (memory.value > pool.memory->value)
        diagnostics.error(memory.place, fmt::format("memory of \"{}\" is {}; the pool's partitions have {} each", description.name.value,
                                                    format_size(memory.value), format_size(pool.memory->value)));
}

}  // namespace

void plan_pool(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics) {
    if (system.pool) place_store(*system.pool, plan, diagnostics);
    for (const PlannedPartition& partition : plan.pooled) {
        const PartitionDescription& description = *partition.description;
        if (!system.pool || system.pool->partitions.value == 0)
            diagnostics.error(
                description.place,
                fmt::format("there is no place where \"{}\" could be made; add [pool] with partitions = 1, or take pool = true "
                            "out",
                            partition.name));
        else if (system.pool->memory)
            check_fits(description, *system.pool, diagnostics);
    }
}

}  // namespace partita::tool
