// The reader of the firmware's device tree: in bounds whatever is in it, and of one mind with libfdt where that takes it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

extern "C" {
#include <libfdt.h>
}

#include "boot/firmware_tree.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto found = partita::find_property(std::as_bytes(std::span{data, size}), "chosen", "rng-seed");
    if (!found.empty()) {
        const auto* const begin = reinterpret_cast<const std::byte*>(data);
        if (found.data() < begin || found.data() + found.size() > begin + size) std::abort();
    }
    std::vector<std::uint64_t> aligned((size + 7) / 8);
    if (size != 0) std::memcpy(aligned.data(), data, size);
    if (size < 40 || fdt_check_full(aligned.data(), size) != 0) return 0;
    int length = 0;
    const void* const value = fdt_getprop(aligned.data(), fdt_path_offset(aligned.data(), "/chosen"), "rng-seed", &length);
    if (value != nullptr && length > 0 &&
        (found.size() != static_cast<std::size_t>(length) || std::memcmp(found.data(), value, found.size()) != 0))
        std::abort();
    return 0;
}
