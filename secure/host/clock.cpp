#include <chrono>

#include "keys.hpp"

std::uint64_t partita::secure::clock_sample() {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}
