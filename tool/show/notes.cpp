#include "show/notes.hpp"

#include <fmt/format.h>

#include "config/units.hpp"

namespace partita::tool {

// A kernel is packed: whether it can use a pool cannot be seen from outside.
std::string notes_on(const Plan& plan, const std::string& file) {
    std::string out;
    for (const PlannedPartition& partition : plan.partitions) {
        if (partition.bounced == 0 || partition.format != "zimage") continue;
        const Place& place = partition.description->share.place;
        out += fmt::format(
            "{}:{}:{}: note: the virtio devices of \"{}\" reach {} of its memory, for which a Linux needs "
            "CONFIG_DMA_RESTRICTED_POOL; Debian's kernels lack it, and their drivers would fail\n",
            file, place.line, place.column, partition.name, format_size(partition.bounced));
    }
    return out;
}

}  // namespace partita::tool
