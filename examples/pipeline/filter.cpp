// The middle of the pipeline, a program of an unmodified Linux: reads a measurement, filters it, and answers with a command. How strongly
// it filters is the latest value of another port. A message is what one read() or write() takes.
#include <cstdint>

#include "pipeline.h"
#include "port.hpp"

using partita::guest::Port;

extern "C" [[noreturn]] void run(const long* stack);
extern "C" [[noreturn]] void run(const long*) {
    const Port measurements{"/dev/virtio-ports/measurements", O_RDONLY};
    const Port gains{"/dev/virtio-ports/gain", O_RDONLY | O_NONBLOCK};
    const Port commands{"/dev/virtio-ports/commands", O_WRONLY};
    std::int32_t filtered = 0;
    gain latest{1, 2};
    for (;;) {
        measurement taken{};
        if (!measurements.read(taken)) continue;
        if (gain newer{}; gains.read(newer) && newer.denominator != 0) latest = newer;
        filtered += (taken.value - filtered) * latest.numerator / latest.denominator;
        commands.write(command{taken.number, filtered, taken.taken});
    }
}
