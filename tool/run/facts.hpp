// The hypervisor's log tells facts (`fault partition=1 …`); here they become sentences.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "plan/plan.hpp"

namespace partita::tool {

struct Fact {
    std::string kind;  // "fault", "state", "panic", …
    std::map<std::string, std::string> values;

    [[nodiscard]] std::string value(const std::string& key) const;
    [[nodiscard]] std::uint64_t number(const std::string& key) const;  // decimal or 0x…; 0 where it is none
};

[[nodiscard]] Fact parse_fact(const std::string& line);

// For programs: one line.
[[nodiscard]] std::string fact_as_json(const Fact& fact);

// The fact in words, with the names that the plan knows.
[[nodiscard]] std::string tell(const Fact& fact, const Plan& plan);

}  // namespace partita::tool
