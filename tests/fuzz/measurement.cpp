// A system image as the secure partition finds it in memory: anything. It is measured, or not, and nothing outside is touched.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "boot.hpp"

namespace {

constexpr std::uint64_t base = 0x4020'0000;
constexpr std::uint32_t most_read = 1u << 20;  // enough for anything that is to be found; a copy's size alone is no work

struct Image {
    std::span<const std::uint8_t> bytes;
    std::uint32_t read = 0;
};

bool read_image(void* context, std::uint64_t at, void* to, std::uint32_t size) {
    auto& image = *static_cast<Image*>(context);
    image.read += size;
    if (at < base || at - base > image.bytes.size() || size > image.bytes.size() - (at - base) || image.read > most_read) return false;
    std::memcpy(to, image.bytes.data() + (at - base), size);
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The rest behind a head that is right, so that the tables are reached.
    static std::uint8_t bytes[8192];
    std::memset(bytes, 0, sizeof bytes);
    std::memcpy(bytes, data, std::min(size, sizeof bytes));
    const partita_hypervisor_header own{
        0, PARTITA_IMAGE_MAGIC, sizeof own, static_cast<std::uint32_t>(sizeof bytes - sizeof own - sizeof(partita_image_signature)), 0, 0,
        0};
    if (size % 2 != 0) {
        std::memcpy(bytes, &own, sizeof own);
        const std::uint32_t head[] = {PARTITA_IMAGE_MAGIC, PARTITA_IMAGE_VERSION, own.description_size};
        std::memcpy(bytes + own.description_offset, head, sizeof head);
    }
    Image image{bytes};
    static constexpr std::uint8_t key[65] = {4};
    partita::secure::Boot boot;
    const char* const wrong = partita::secure::check_image({&image, read_image}, base, size % 3 != 0 ? key : nullptr, boot);
    if (wrong == nullptr && (boot.measured.count == 0 || boot.measured.count > PARTITA_MEASUREMENTS)) __builtin_trap();
    if (boot.verified) __builtin_trap();  // nobody has signed it
    return 0;
}
