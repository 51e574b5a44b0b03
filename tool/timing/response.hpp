// Whether everything that a description promises is kept: response-time analysis for fixed priorities under the supply of windows
// (Lipari and Bini, "A methodology for designing hierarchical scheduling systems", 2005), with budgets as deferrable servers, turns
// among equals, and the hypervisor's own costs.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "timing/costs.hpp"
#include "timing/supply.hpp"

namespace partita::tool {

// What takes time from a virtual CPU, in words.
struct Share {
    std::string what;
    Nanoseconds time = 0;
};

// A promise to one virtual CPU in one schedule: `wcet` in each `period`, done by `deadline`; or its budget in each of its periods.
struct Promise {
    std::size_t schedule = 0, partition = 0, vcpu = 0;
    bool is_budget = false;
    Nanoseconds need = 0, period = 0, deadline = 0;
    Nanoseconds response = 0;   // the longest that it can take; meaningless where `never` is set
    std::string never;          // why no bound exists; "" where one does
    std::vector<Share> shares;  // of the response

    [[nodiscard]] bool kept() const { return never.empty() && response <= deadline; }
};

// Every promise of the plan, schedule by schedule; where none is described, as one schedule without windows.
[[nodiscard]] std::vector<Promise> analyse(const Plan& plan, const Costs& costs);

// "control/vcpu0: 800 us in each 10 ms: done after at most 2.1 ms of 5 ms: 2.9 ms to spare", or by how much it fails, and why.
[[nodiscard]] std::string tell(const Promise& promise, const Plan& plan);

// Complains about each promise that is not kept.
void check_promises(const Plan& plan, const Costs& costs, Diagnostics& diagnostics);

// What `partita check` prints: each CPU's windows, and each promise.
[[nodiscard]] std::string timing_report(const Plan& plan, const Costs& costs);

}  // namespace partita::tool
