// The description's checker: any bytes give a view or an error; a view keeps the owners of memory apart.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "arch/address.hpp"
#include "boot/image_check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace partita;
    std::vector<std::uint64_t> words(size / 8);
    if (!words.empty()) std::memcpy(words.data(), data, words.size() * 8);
    if (words.size() * 8 >= sizeof(partita_image_header)) {
        // Past magic, size and checksum at once: what lies behind them is what matters.
        auto& header = *reinterpret_cast<partita_image_header*>(words.data());
        header.magic = PARTITA_IMAGE_MAGIC;
        header.version = PARTITA_IMAGE_VERSION;
        header.size = static_cast<std::uint32_t>(words.size() * 8);
        header.checksum = 0;
        header.checksum = image_checksum(std::as_bytes(std::span{words}));
    }
    const auto view = check_image(std::as_bytes(std::span{words}));
    if (!view) return describe(view.error().fault) == nullptr ? 1 : 0;
    for (const auto& a : view->regions)
        for (const auto& b : view->regions)
            if (&a != &b && (a.flags & b.flags & (PARTITA_REGION_SHARED | PARTITA_REGION_CHANNEL)) == 0 &&
                PhysRange{PhysAddr{a.pa}, a.size}.overlaps({PhysAddr{b.pa}, b.size}))
                std::abort();
    return 0;
}
