#include "plan/secure.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "pack/secure_image.hpp"
#include "partita/trusted.h"

namespace partita::tool {

namespace {

void read_program(const Placed<std::filesystem::path>& program, Plan& plan, Diagnostics& diagnostics) {
    std::ifstream in{program.value, std::ios::binary};
    if (!in || std::filesystem::is_directory(program.value))
        return diagnostics.error(program.place, fmt::format("{} cannot be read; give the path of an ELF file", program.value.string()));
    plan.secure_program.assign(std::istreambuf_iterator<char>{in}, {});
    if (const auto image = secure_image(plan.secure_program); !image)
        diagnostics.error(program.place, fmt::format("{}: {}", program.value.string(), image.error()));
}

// Bit n: function n of the trusted service.
[[nodiscard]] std::uint32_t functions_of(const PartitionDescription& description) {
    std::uint32_t out = 0;
    for (const auto& wanted : description.trusted) {
#define PARTITA_TRUSTED_WANTED(NAME, number, name, purpose) \
    if (wanted.value == #name) out |= 1u << (number);
        PARTITA_TRUSTED_TABLE(PARTITA_TRUSTED_WANTED)
#undef PARTITA_TRUSTED_WANTED
    }
    return out;
}

}  // namespace

void plan_secure(const SystemDescription& system, Plan& plan, Diagnostics& diagnostics) {
    if (system.secure && !plan.board->monitor)
        diagnostics.error(system.secure->place,
                          fmt::format("board \"{}\" has no secure world that Partita's monitor could own; take one that "
                                      "has, like \"virt-secure\", or take [secure] out",
                                      plan.board->name));
    if (system.secure && system.secure->program) read_program(*system.secure->program, plan, diagnostics);
    plan.has_secure_partition = system.secure.has_value();
    for (PlannedPartition& partition : plan.partitions) {
        partition.trusted = functions_of(*partition.description);
        if (plan.board->monitor && partition.name == "secure")
            diagnostics.error(partition.description->name.place,
                              "\"secure\" is what the console of the secure world is called; rename this partition");
        if (partition.trusted != 0 && !system.secure)
            diagnostics.error(
                partition.description->trusted.front().place,
                fmt::format("\"{}\" may ask the trusted service, but this system has none; add a [secure] section", partition.name));
    }
}

}  // namespace partita::tool
