#include "command/image.hpp"

#include <cstdlib>
#include <ctime>

namespace partita::tool {

std::uint32_t epoch(bool deterministic) {
    constexpr std::uint32_t begin_of_2026 = 1'767'225'600;
    if (deterministic) return begin_of_2026;
    const char* const fixed = std::getenv("SOURCE_DATE_EPOCH");  // the same image of the same sources
    return fixed != nullptr && *fixed != 0 ? static_cast<std::uint32_t>(std::strtoull(fixed, nullptr, 10))
                                           : static_cast<std::uint32_t>(std::time(nullptr));
}

FlashFiles write_flash(const Loaded& loaded, const SystemImage& image, const std::string& folder) {
    auto files = write_flash(loaded.board, image, folder);
    if (!files) throw Failure{"partita: " + files.error()};
    return *files;
}

}  // namespace partita::tool
