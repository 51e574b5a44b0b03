#include "plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch/address.hpp"
#include "partita/system_image.h"
#include "plan/allocate.hpp"
#include "plan/ownership.hpp"
#include "plan/placement.hpp"
#include "plan/schedule.hpp"
#include "timing/response.hpp"

namespace partita::tool {

namespace {

void plan_flags(const PartitionDescription& description, PlannedPartition& out) {
    if (description.on_exit.value == "restart") out.flags |= PARTITA_ON_EXIT_RESTART;
    if (description.on_reset.value == "stop") out.flags |= PARTITA_ON_RESET_STOP;
    if (description.on_fault.value == "stop") out.flags |= PARTITA_ON_FAULT_STOP;
    if (description.on_fault.value == "restart") out.flags |= PARTITA_ON_FAULT_RESTART;
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

Plan begin_plan(const SystemDescription& system, const Board& board, Diagnostics& diagnostics) {
    Plan plan;
    plan.board = &board;
    plan.partitions.resize(system.partitions.size());
    for (std::size_t n = 0; n < system.partitions.size(); ++n) {
        plan.partitions[n].description = &system.partitions[n];
        plan.partitions[n].name = system.partitions[n].name.value;
        plan_flags(system.partitions[n], plan.partitions[n]);
        plan_priority(system.partitions[n], plan.partitions[n], diagnostics);
        plan_budget(system.partitions[n], plan.partitions[n], diagnostics);
    }
    return plan;
}

}  // namespace

std::optional<Plan> make_plan(const SystemDescription& system, const Board& board, Diagnostics& diagnostics) {
    Plan plan = begin_plan(system, board, diagnostics);
    plan_names(plan, diagnostics);
    plan_cpus(system, plan, diagnostics);
    plan_schedules(system, plan, diagnostics);
    plan_counters(plan, diagnostics);
    plan_devices(plan, diagnostics);
    for (PlannedPartition& partition : plan.partitions) place_images(board, partition, diagnostics);
    plan_memory(plan, diagnostics);
    if (!diagnostics.any()) check_promises(plan, costs_of(board), diagnostics);
    if (diagnostics.any()) return std::nullopt;
    return plan;
}

void check_without_board(const SystemDescription& system, Diagnostics& diagnostics) {
    const Board none;
    Plan plan = begin_plan(system, none, diagnostics);
    plan_names(plan, diagnostics);
    for (PlannedPartition& partition : plan.partitions) place_images(none, partition, diagnostics);
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
