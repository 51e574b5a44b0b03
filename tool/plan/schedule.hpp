// When who may run: windows that fit, budgets that can be kept.
#pragma once

#include "plan/plan.hpp"

namespace partita::tool {

// budget, period, deadline and wcet of one partition.
void plan_budget(const PartitionDescription& description, PlannedPartition& out, Diagnostics& diagnostics);

// The schedules with their windows. Afterwards each CPU has windows in all of them or in none, without gaps or overlaps; every virtual
// CPU of a CPU with windows has one, or may use what is idle; and those that would take turns have a slice.
void plan_schedules(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics);

}  // namespace partita::tool
