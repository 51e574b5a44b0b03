// Guest images: any bytes give an image or a sentence.
#include "image/kernel.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace partita::tool;
    const std::span<const std::uint8_t> bytes{data, size};
    (void)recognise(bytes);
    const auto elf = read_elf(bytes);
    if (!elf && elf.error().empty()) return 1;
    (void)read_zimage(bytes);
    (void)read_uimage(bytes);
    return 0;
}
