#include "plan/server_devices.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace partita::tool {

const BoardDevice* find_driven(const Plan& plan, const PlannedPartition& server, const Placed<std::string>& name, const DrivenKind& kind,
                               Diagnostics& diagnostics) {
    if (plan.board->name.empty()) return nullptr;  // there is no such board, which was told
    const auto refuse = [&](const std::string& why) -> const BoardDevice* {
        diagnostics.error(name.place, why);
        return nullptr;
    };
    const BoardDevice* const device = plan.board->find(name.value);
    if (device == nullptr)
        return refuse(fmt::format("board \"{}\" has no {} \"{}\"; {}", plan.board->name, kind.what, name.value,
                                  suggest(name.value, plan.board->device_names())));
    if (!device->pci || device->pci->id != kind.id)
        return refuse(fmt::format("{} is no {} that a server can drive: those are virtio devices on the PCI bus", device->path, kind.what));
    if (std::ranges::find(server.devices, device) == server.devices.end())
        return refuse(fmt::format("{} is no device of \"{}\", which would serve {}; add it there: devices = [\"{}\"]", device->path,
                                  server.name, kind.whose, name.value));
    if (server.messages)
        return refuse(fmt::format("\"{}\" has msi = \"given\", and {} no interrupt line then, which its driver needs; take msi out there",
                                  server.name, device->path));
    return device;
}

}  // namespace partita::tool
