#include "real_disk.hpp"

#include <array>
#include <span>

#include "partita/guest/guest.h"
#include "pci_lines.hpp"

namespace partita::parent {

using std::uint32_t;
using std::uint64_t;

RealDisk* RealDisk::find(uint32_t function, const char* name) {
    static constinit std::array<RealDisk, 2> disks;
    for (RealDisk& disk : disks) {
        if (disk.state_ == State::unused) disk.state_ = disk.open(function, name) ? State::works : State::unusable;
        if (disk.function_ == function) return disk.state_ == State::works ? &disk : nullptr;
    }
    console_printf("server: %s: more disks than there is room for\n", name);
    return nullptr;
}

const char* RealDisk::add(uint64_t first, uint64_t count, bool read_only) {
    if (first >= driver_.sectors() || count > driver_.sectors() - first) return "it would end behind the disk";
    if (!read_only && driver_.read_only()) return "the disk can only be read; say read_only = true";
    for (const Range& other : std::span{ranges_}.first(count_)) {
        const bool beside = first + count <= other.first || other.first + other.count <= first;
        if (!beside && !(read_only && other.read_only)) return "it would lie over another that is served";
    }
    if (count_ == ranges_.size()) return "more lie there than there is room for";
    ranges_[count_++] = {first, count, read_only};
    return nullptr;
}

bool RealDisk::open(uint32_t function, const char* name) {
    function_ = function;
    const char* const why = driver_.open(function);
    if (why != nullptr) console_printf("server: %s cannot be used: %s\n", name, why);
    return why == nullptr && add_to_line(driver_.device());
}

}  // namespace partita::parent
