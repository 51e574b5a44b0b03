#include "plan/parent.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch/address.hpp"
#include "partita/system_image.h"
#include "plan/channel_memory.hpp"

namespace partita::tool {

namespace {

void check_rights(Plan& plan, Diagnostics& diagnostics) {
    const PlannedPartition* const parent = parent_of(plan);
    for (const PlannedPartition& partition : plan.partitions) {
        if (!partition.is_parent()) continue;
        const Place& place = partition.description->control.place;
        if ((partition.flags & PARTITA_RIGHT_MANAGE) == 0)
            diagnostics.error(
                place, fmt::format("\"{}\" has the control channel, but not the right to do what it is asked for there; add rights = "
                                   "[\"manage\"]",
                                   partition.name));
        if (&partition != parent)
            diagnostics.error(
                place, fmt::format("the control channel is one partition's, and \"{}\" has it; take it out here or there", parent->name));
    }
}

void check_start(const PlannedPartition& partition, const PlannedPartition* parent, Diagnostics& diagnostics) {
    const Place& place = partition.description->start.place;
    if (parent == nullptr)
        diagnostics.error(place,
                          fmt::format("\"{}\" does not start at boot, and nobody could start it later; add a parent partition (control = "
                                      "true), or take this out",
                                      partition.name));
    else if (parent == &partition)
        diagnostics.error(place, fmt::format("\"{}\" is the parent partition, and nobody could start it; take this out", partition.name));
}

void check_restart(const PlannedPartition& partition, const PlannedPartition* parent, Diagnostics& diagnostics) {
    const PartitionDescription& description = *partition.description;
    const Place& place = description.restart_after->place;
    const bool stops = description.on_fault.value == "stop" || description.on_reset.value == "stop" || partition.restart_limit != 0;
    if (parent == nullptr)
        diagnostics.error(place, fmt::format("nobody could start \"{}\" again; add a parent partition (control = true), or take this out",
                                             partition.name));
    else if (parent == &partition)
        diagnostics.error(
            place, fmt::format("\"{}\" is the parent partition, and cannot start itself; take on_fault = \"restart\"", partition.name));
    else if (!stops)
        diagnostics.error(place, fmt::format("\"{}\" is never off because it failed; add on_fault = \"stop\" or restart_limit = 5, or take "
                                             "this out",
                                             partition.name));
}

}  // namespace

PlannedPartition* parent_of(Plan& plan) {
    const auto at = std::find_if(plan.partitions.begin(), plan.partitions.end(), [](const auto& one) { return one.is_parent(); });
    return at == plan.partitions.end() ? nullptr : &*at;
}

void check_parent(Plan& plan, Diagnostics& diagnostics) {
    check_rights(plan, diagnostics);
    const PlannedPartition* const parent = parent_of(plan);
    for (const PlannedPartition& partition : plan.partitions) {
        if (partition.is_place()) continue;
        if ((partition.flags & PARTITA_OFF_AT_BOOT) != 0) check_start(partition, parent, diagnostics);
        if (partition.description->restart_after) check_restart(partition, parent, diagnostics);
    }
}

void place_history(Plan& plan, Diagnostics& diagnostics) {
    PlannedPartition* const parent = parent_of(plan);
    if (parent == nullptr) return;
    parent->history = free_address(*parent, kPageSize, platform::ram);
    if (parent->history)
        parent->regions.push_back(
            {"history", *parent->history, 0, kPageSize, PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_KEPT});
    else
        diagnostics.error(
            parent->description->control.place,
            fmt::format("the address space of \"{}\" has no room for the page in which it keeps how partitions ended", parent->name));
}

}  // namespace partita::tool
