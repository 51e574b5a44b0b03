// A channel's end in a program of an unmodified Linux: /dev/virtio-ports/NAME. A message is what one read() or write() takes.
#pragma once

#include <cstdint>

#include "kernel.h"

namespace partita::guest {

inline void sleep_milliseconds(std::int32_t count) {
    const std::int32_t time[2] = {count / 1000, count % 1000 * 1'000'000};
    (void)kernel(SYS_NANOSLEEP, reinterpret_cast<long>(time), 0, 0, 0, 0, 0);
}

// A named port. It is there once the driver has asked the device for its ports.
class Port {
public:
    static constexpr long no_such_file = -2, again = -11;

    Port(const char *path, int flags) {
        while ((file_ = kernel(SYS_OPEN, reinterpret_cast<long>(path), flags, 0, 0, 0, 0)) == no_such_file) sleep_milliseconds(10);
    }
    // The next message, if it is of this type. Waits for one, unless the port was opened not to.
    template <typename Message>
    [[nodiscard]] bool read(Message &message) const {
        const long size = kernel(SYS_READ, file_, reinterpret_cast<long>(&message), sizeof message, 0, 0, 0);
        if (size == 0) sleep_milliseconds(10);  // nobody is at the other end
        return size == static_cast<long>(sizeof message);
    }
    template <typename Message>
    void write(const Message &message) const {
        while (kernel(SYS_WRITE, file_, reinterpret_cast<long>(&message), sizeof message, 0, 0, 0) == again) sleep_milliseconds(1);
    }

private:
    long file_ = 0;
};

}  // namespace partita::guest
