#include "plan/server_program.hpp"

#include <fmt/format.h>

namespace partita::tool {

using std::uint32_t;

namespace {

[[nodiscard]] std::string kinds_of(const Serves& serves) {
    std::string out;
    for (const auto& [kind, count] : serves) out += fmt::format("{}{} {}{}", out.empty() ? "" : ", ", count, kind, count == 1 ? "" : "s");
    return out;
}

}  // namespace

void check_server_programs(const Plan& plan, Diagnostics& diagnostics) {
    for (std::size_t server = 0; server < plan.partitions.size(); ++server) {
        const PlannedPartition& program = plan.partitions[server];
        if (!program.program_serves) continue;
        Serves left = *program.program_serves;
        for (const PlannedPartition& client : plan.partitions)
            for (const PlannedVirtio& device : client.virtio) {
                if (device.server != server) continue;
                const std::string kind = std::string{device.kind()}.substr(std::string_view{"virtio "}.size());
                const auto found = left.find(kind);
                if (found != left.end() && found->second != 0) {
                    --found->second;
                    continue;
                }
                diagnostics.error(
                    device.place,
                    fmt::format("\"{}\" would serve this {} of \"{}\", but its program ({}) serves {} at most; let another partition serve "
                                "\"{}\" (server = \"NAME\"), like one that runs build/arm-gcc/parent/serve.elf",
                                program.name, device.kind(), client.name, program.description->kernel.value.filename().string(),
                                kinds_of(*program.program_serves), client.name));
            }
    }
}

}  // namespace partita::tool
