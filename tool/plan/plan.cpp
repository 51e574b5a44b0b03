#include "plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch/address.hpp"
#include "config/units.hpp"
#include "partita/system_image.h"
#include "plan/allocate.hpp"
#include "plan/channels.hpp"
#include "plan/ownership.hpp"
#include "plan/placement.hpp"
#include "plan/parent.hpp"
#include "plan/pool.hpp"
#include "plan/schedule.hpp"
#include "plan/served.hpp"
#include "plan/server_program.hpp"
#include "plan/secure.hpp"
#include "plan/virtio.hpp"
#include "timing/response.hpp"

namespace partita::tool {

namespace {

void plan_flags(const PartitionDescription& description, PlannedPartition& out) {
    if (description.is_place) out.flags |= PARTITA_POOL;
    if (description.on_exit.value == "restart") out.flags |= PARTITA_ON_EXIT_RESTART;
    if (description.on_reset.value == "stop") out.flags |= PARTITA_ON_RESET_STOP;
    if (description.on_fault.value == "stop") out.flags |= PARTITA_ON_FAULT_STOP;
    if (description.on_fault.value == "restart") out.flags |= PARTITA_ON_FAULT_RESTART;
    if (description.on_fault.value == "halt-system") out.flags |= PARTITA_ON_FAULT_HALT;
    if (description.watchdog_boot.value) out.flags |= PARTITA_WATCHDOG_BOOT;
    if (!description.start.value) out.flags |= PARTITA_OFF_AT_BOOT;
    if (description.slack.value) out.flags |= PARTITA_SLACK;
    if (description.budget_for.value == "vcpu") out.flags |= PARTITA_BUDGET_EACH;
    if (description.over_budget.value == "idle") out.flags |= PARTITA_BUDGET_SOFT;
    if (description.time.value == "stops") out.flags |= PARTITA_TIME_STOPS;
    if (description.pmu.value == "given") out.flags |= PARTITA_PMU;
    for (const auto& right : description.rights) {
        if (right.value == "manage") out.flags |= PARTITA_RIGHT_MANAGE;
        if (right.value == "serve") out.flags |= PARTITA_RIGHT_SERVE;
        if (right.value == "trace") out.flags |= PARTITA_RIGHT_TRACE;
        if (right.value == "debug") out.flags |= PARTITA_RIGHT_DEBUG;
    }
}

void plan_priority(const PartitionDescription& description, PlannedPartition& out, Diagnostics& diagnostics) {
    constexpr std::uint64_t most = 255;
    if (description.priority.value > most)
        diagnostics.error(description.priority.place,
                          fmt::format("priority of \"{}\" is {}; it can be 0 to {}", out.name, description.priority.value, most));
    out.priority = static_cast<std::uint32_t>(std::min(description.priority.value, most));
}

// A time of `key` in whole milliseconds, or 0 and what is wrong with it.
std::uint32_t milliseconds_of(const Placed<std::uint64_t>& time, const char* key, const std::string& name, Diagnostics& diagnostics) {
    constexpr std::uint64_t unit = 1'000'000;
    if (time.value != 0 && time.value % unit == 0 && time.value / unit <= PARTITA_LONGEST_HEALTH_MS)
        return static_cast<std::uint32_t>(time.value / unit);
    diagnostics.error(time.place, fmt::format("{} of \"{}\" is {}; it can be whole milliseconds, from 1 ms to 86400 s", key, name,
                                              format_time(time.value)));
    return 0;
}

void plan_health(const PartitionDescription& description, PlannedPartition& out, Diagnostics& diagnostics) {
    constexpr std::uint64_t most = 1'000'000;
    constexpr std::uint32_t minute = 60'000;
    if (description.watchdog) out.watchdog_ms = milliseconds_of(*description.watchdog, "watchdog", out.name, diagnostics);
    if (!description.watchdog && description.watchdog_boot.value)
        diagnostics.error(
            description.watchdog_boot.place,
            fmt::format("\"{}\" has watchdog_boot, but no watchdog; add watchdog = \"30 s\", the longest time that it may go unfed",
                        out.name));
    if (description.restart_limit.value > most)
        diagnostics.error(description.restart_limit.place,
                          fmt::format("restart_limit of \"{}\" is {}; it can be 0 to {}", out.name, description.restart_limit.value, most));
    out.restart_limit = static_cast<std::uint32_t>(std::min(description.restart_limit.value, most));
    if (description.restart_period && out.restart_limit == 0)
        diagnostics.error(
            description.restart_period->place,
            fmt::format("\"{}\" has a restart_period, but no restart_limit; add restart_limit = 5, or take it out", out.name));
    if (description.restart_after)
        out.restart_after_ms = milliseconds_of(*description.restart_after, "restart_after", out.name, diagnostics);
    if (out.restart_limit == 0) return;
    out.restart_period_ms =
        description.restart_period ? milliseconds_of(*description.restart_period, "restart_period", out.name, diagnostics) : minute;
}

// A device that the platform adds where the description asks for it.
struct Added {
    const char* what;
    std::uint64_t address;
    std::uint32_t interrupt;
};

// Where it lies, or of its interrupt, no device of the partition's own may be.
void check_place(const PlannedPartition& partition, const Added& added, const Place& place, Diagnostics& diagnostics) {
    const AddressRange page{added.address, kPageSize};
    for (const BoardDevice* const device : partition.devices) {
        const bool address = std::any_of(device->registers.begin(), device->registers.end(),
                                         [&](const AddressRange& range) { return range.overlaps(page); });
        const bool interrupt = std::any_of(device->interrupts.begin(), device->interrupts.end(),
                                           [&](const BoardInterrupt& one) { return one.intid == added.interrupt; });
        if (address || interrupt)
            diagnostics.error(place, fmt::format("the {} of \"{}\" would have the {} of its device {}; leave one of the two out",
                                                 added.what, partition.name, address ? "address" : "interrupt", device->path));
    }
}

void check_added(const Plan& plan, Diagnostics& diagnostics) {
    for (const PlannedPartition& partition : plan.partitions) {
        if (partition.watchdog_ms != 0)
            check_place(partition, {"watchdog", platform::sp805, platform::sp805_interrupt}, partition.description->watchdog->place,
                        diagnostics);
        if (partition.has_gpio())
            check_place(partition, {"gpio", platform::pl061, platform::pl061_interrupt}, partition.description->gpio.place, diagnostics);
        if (partition.serves)
            check_place(partition, {"virtio server", platform::gicd, platform::serve_interrupt}, partition.description->name.place,
                        diagnostics);
        for (const PlannedVirtio& device : partition.virtio)
            check_place(partition, {device.kind(), device.address(), device.interrupt}, device.place, diagnostics);
        if (!partition.is_parent()) continue;
        for (const std::uint32_t interrupt : {platform::control_interrupt, platform::events_interrupt})
            check_place(partition, {"control channel", platform::control, interrupt}, partition.description->control.place, diagnostics);
    }
}

Plan begin_plan(const SystemDescription& system, const Board& board, Diagnostics& diagnostics) {
    Plan plan;
    plan.board = &board;
    plan.partitions.resize(system.partitions.size());
    for (std::size_t n = 0; n < system.partitions.size(); ++n) {
        plan.partitions[n].description = &system.partitions[n];
        plan.partitions[n].name = system.partitions[n].name.value;
        plan_flags(system.partitions[n], plan.partitions[n]);
        plan_priority(system.partitions[n], plan.partitions[n], diagnostics);
        plan_health(system.partitions[n], plan.partitions[n], diagnostics);
        plan_budget(system.partitions[n], plan.partitions[n], diagnostics);
    }
    return plan;
}

void begin_pooled(const SystemDescription& system, Plan& plan) {
    plan.pooled.resize(system.pooled.size());
    for (std::size_t n = 0; n < system.pooled.size(); ++n) {
        plan.pooled[n].description = &system.pooled[n];
        plan.pooled[n].name = system.pooled[n].name.value;
        plan_flags(system.pooled[n], plan.pooled[n]);
    }
}

}  // namespace

std::optional<Plan> make_plan(const SystemDescription& system, const Board& board, Diagnostics& diagnostics) {
    Plan plan = begin_plan(system, board, diagnostics);
    begin_pooled(system, plan);
    plan_names(plan, diagnostics);
    plan_cpus(system, plan, diagnostics);
    plan_schedules(system, plan, diagnostics);
    plan_counters(plan, diagnostics);
    plan_devices(plan, diagnostics);
    plan_virtio(system, plan, diagnostics);
    check_added(plan, diagnostics);
    check_parent(plan, diagnostics);
    plan_channels(system, plan, diagnostics);
    check_virtio_ports(plan, diagnostics);
    plan_secure(system, plan, diagnostics);
    place_history(plan, diagnostics);
    plan_pool(system, plan, diagnostics);
    place_served_memory(plan, diagnostics);
    for (PlannedPartition& partition : plan.partitions) place_images(plan, partition, diagnostics);
    for (PlannedPartition& partition : plan.pooled) place_images(plan, partition, diagnostics);
    check_server_programs(plan, diagnostics);
    plan_memory(plan, diagnostics);
    if (!diagnostics.any()) check_promises(plan, costs_of(board), diagnostics);
    if (diagnostics.any()) return std::nullopt;
    return plan;
}

void check_without_board(const SystemDescription& system, Diagnostics& diagnostics) {
    const Board none;
    Plan plan = begin_plan(system, none, diagnostics);
    begin_pooled(system, plan);
    plan_names(plan, diagnostics);
    plan_virtio(system, plan, diagnostics);
    plan_channels(system, plan, diagnostics);
    check_virtio_ports(plan, diagnostics);
    plan_pool(system, plan, diagnostics);
    for (PlannedPartition& partition : plan.partitions) place_images(plan, partition, diagnostics);
    for (PlannedPartition& partition : plan.pooled) place_images(plan, partition, diagnostics);
    check_server_programs(plan, diagnostics);
}

bool PlannedPartition::has_clock() const {
    const AddressRange clock{platform::pl031, kPageSize};
    const bool address = std::any_of(devices.begin(), devices.end(), [&](const BoardDevice* device) {
        return std::any_of(device->registers.begin(), device->registers.end(),
                           [&](const AddressRange& range) { return range.overlaps(clock); });
    });
    const bool interrupt =
        std::any_of(routes.begin(), routes.end(), [](const PlannedRoute& route) { return route.intid == platform::pl031_interrupt; });
    return !address && !interrupt;
}

}  // namespace partita::tool
