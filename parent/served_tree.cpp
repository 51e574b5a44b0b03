#include "served_tree.hpp"

#include "partita/guest/guest.h"

namespace partita::parent {

using std::uint32_t;

NodeName::NodeName(uint32_t n) {
    char* at = text + 7;
    if (n >= 10) *at++ = static_cast<char>('0' + n / 10);
    *at = static_cast<char>('0' + n % 10);
}

Cells cells(const NodeName& node, const char* property) {
    uint32_t bytes = 0;
    const uint32_t* const at = tree_child_property("served", node.text, property, &bytes);
    return at != nullptr ? Cells{at, bytes / 4} : Cells{};
}

const char* text(const NodeName& node, const char* property) {
    uint32_t bytes = 0;
    return reinterpret_cast<const char*>(tree_child_property("served", node.text, property, &bytes));
}

bool is_compatible(const NodeName& node, const char* with) {
    const char* is = text(node, "compatible");
    if (is == nullptr) return false;
    for (; *is != 0 && *is == *with; ++is) ++with;
    return *is == *with;
}

bool find_memory(const NodeName& node, virtio::ClientMemory& out) {
    const Cells memory = cells(node, "partita,client-memory");
    if (text(node, "partita,pool") != nullptr) out.make_pool();
    for (uint32_t n = 0; n + 2 < memory.count; n += 3)
        if (!out.add(memory[n], pointer(memory[n + 1]), memory[n + 2])) return false;
    return true;
}

void* find_state(const NodeName& node, uint32_t bytes) {
    const Cells kept = cells(node, "partita,kept-memory");
    return kept.count >= 2 && kept[1] >= bytes ? pointer(kept[0]) : nullptr;
}

bool Complaints::may_say() {
    const std::uint64_t now = timer_now();
    if (said_ != 0 && now - said_ < timer_frequency()) return false;
    said_ = now;
    return true;
}

}  // namespace partita::parent
