// Devices of the board that servers drive for others.
#pragma once

#include "plan/plan.hpp"

namespace partita::tool {

struct DrivenKind {
    std::uint32_t id;       // device and vendor of the PCI function
    std::string_view what;  // "disk"
    std::string whose;      // what it is for: "disk \"root\""
};

// The device of that name, which must be of this kind and the server's. nullptr: it is not, which was told.
[[nodiscard]] const BoardDevice* find_driven(const Plan& plan, const PlannedPartition& server, const Placed<std::string>& name,
                                             const DrivenKind& kind, Diagnostics& diagnostics);

}  // namespace partita::tool
