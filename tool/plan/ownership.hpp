// Who owns what: names, CPUs, devices and interrupts have one owner each.
#pragma once

#include "plan/plan.hpp"

namespace partita::tool {

// Letters, digits, - and _, at most PARTITA_NAME_SIZE - 1: what partitions and channels can be called.
[[nodiscard]] bool is_good_name(const std::string& name);

void plan_names(Plan& plan, Diagnostics& diagnostics);
void plan_cpus(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics);
// Performance counters go to virtual CPUs that have a CPU for themselves.
void plan_counters(const Plan& plan, Diagnostics& diagnostics);
void plan_devices(Plan& plan, Diagnostics& diagnostics);

}  // namespace partita::tool
