// system.toml: any text gives a plan, or at least one complaint with its place.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "plan/plan.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace partita::tool;
    static const Board board = [] {
        Board out;
        out.name = "fuzz";
        out.cpus = {0, 1};
        out.memory = {{0x4000'0000, 0x4000'0000}};
        out.load_address = 0x4020'0000;
        return out;
    }();
    Diagnostics diagnostics{"fuzz.toml"};
    const SystemDescription description =
        read_description(std::string{reinterpret_cast<const char*>(data), size}, "/nonexistent", diagnostics);
    for (const PartitionDescription& partition : description.partitions)
        if (!partition.kernel.value.empty() && std::filesystem::exists(partition.kernel.value)) return 0;  // never read what lies around
    const auto plan = make_plan(description, board, diagnostics);
    if (plan.has_value() == diagnostics.any()) std::abort();
    return 0;
}
