// The SDK's timer, by the host's clock.
#include <chrono>

#include "partita/guest/guest.h"

uint64_t timer_now() { return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()); }
