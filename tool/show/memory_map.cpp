#include "show/memory_map.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "partita/secure.h"
#include "partita/system_image.h"

namespace partita::tool {

namespace {

// Memory of a channel, and of one whose virtio devices another serves, is two partitions', and shown once.
void add(std::vector<MapEntry>& used, const std::string& owner, const PlannedRegion& region, int number) {
    constexpr std::uint32_t shared = PARTITA_REGION_CHANNEL | PARTITA_REGION_SERVED;
    const auto same = std::find_if(used.begin(), used.end(), [&](const MapEntry& entry) { return entry.begin == region.pa; });
    if ((region.flags & shared) == 0 || same == used.end())
        used.push_back({region.pa, region.size, owner, region.what, number, region.ipa});
    else
        same->owner += fmt::format(", {}", owner);
}

}  // namespace

std::vector<MapEntry> memory_map(const Plan& plan) {
    std::vector<MapEntry> used;
    const std::uint64_t ram = plan.board->memory.front().begin;
    if (plan.hypervisor_base > ram) used.push_back({ram, plan.hypervisor_base - ram, "firmware", "its device tree"});
    used.push_back({plan.hypervisor_base, plan.hypervisor_size, "hypervisor", "code, data, translation tables"});
    if (plan.monitor_base != 0)
        used.push_back({plan.monitor_base, PARTITA_MONITOR_LARGEST, "monitor", "what is loaded; it runs in secure memory"});
    if (plan.secure_base != 0)
        used.push_back({plan.secure_base, PARTITA_SECURE_LARGEST, "secure partition", "what is loaded; it runs in secure memory"});
    if (plan.images_size != 0) used.push_back({plan.images_base, plan.images_size, "images", "what partitions are filled from"});
    for (std::size_t n = 0; n < plan.partitions.size(); ++n)
        for (const PlannedRegion& region : plan.partitions[n].regions)
            if ((region.flags & (PARTITA_REGION_DEVICE | PARTITA_REGION_SERVED)) == 0)
                add(used, plan.partitions[n].name, region, static_cast<int>(n));
    for (std::size_t n = 0; n < plan.partitions.size(); ++n)
        for (const PlannedRegion& region : plan.partitions[n].regions)
            if ((region.flags & PARTITA_REGION_SERVED) != 0) add(used, plan.partitions[n].name, region, static_cast<int>(n));
    std::sort(used.begin(), used.end(), [](const MapEntry& a, const MapEntry& b) { return a.begin < b.begin; });
    std::vector<MapEntry> out;
    for (const AddressRange& memory : plan.board->memory) {
        std::uint64_t at = memory.begin;
        for (const MapEntry& entry : used) {
            if (entry.begin < memory.begin || entry.begin >= memory.end()) continue;
            if (entry.begin > at) out.push_back({at, entry.begin - at, "", "free"});
            out.push_back(entry);
            at = entry.begin + entry.size;
        }
        if (at < memory.end()) out.push_back({at, memory.end() - at, "", "free"});
    }
    return out;
}

}  // namespace partita::tool
