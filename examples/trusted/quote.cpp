// A program of an unmodified Linux: asks for a quote with a nonce of its own, and prints what `partita verify` takes.
#include <cstdint>

#include "port.hpp"
#include "trusted.h"

using partita::guest::Port;
using partita::guest::sleep_milliseconds;

namespace {

constexpr long sys_getrandom = 384;

class Line {
public:
    Line& operator<<(const char* text) {
        while (*text != 0 && size_ < sizeof text_) text_[size_++] = *text++;
        return *this;
    }
    Line& hex(const void* bytes, std::uint32_t count) {
        const auto* const at = static_cast<const std::uint8_t*>(bytes);
        for (std::uint32_t n = 0; n < count; ++n) {
            const char digits[] = {"0123456789abcdef"[at[n] >> 4], "0123456789abcdef"[at[n] & 15], 0};
            *this << digits;
        }
        return *this;
    }
    ~Line() {
        *this << "\n";
        (void)kernel(SYS_WRITE, 1, reinterpret_cast<long>(text_), static_cast<long>(size_), 0, 0, 0);
    }

private:
    char text_[1024];
    std::uint32_t size_ = 0;
};

}  // namespace

extern "C" [[noreturn]] void run(const long* stack);
extern "C" [[noreturn]] void run(const long*) {
    const Port ask{"/dev/virtio-ports/ask", O_WRONLY};
    const Port replies{"/dev/virtio-ports/answer", O_RDONLY};
    question mine{};
    while (kernel(sys_getrandom, reinterpret_cast<long>(mine.nonce), sizeof mine.nonce, 0, 0, 0, 0) != sizeof mine.nonce)
        sleep_milliseconds(10);
    ask.write(mine);
    answer got{};
    while (!replies.read(got)) {
    }
    if (got.status != 0) {
        Line{} << "quote: the secure world refused";
    } else {
        (Line{} << "quote: this board runs ").hex(got.quote.system, sizeof got.quote.system)
            << ((got.quote.flags & PARTITA_QUOTE_VERIFIED) != 0 ? ", signed" : ", not checked");
        (Line{} << "nonce ").hex(mine.nonce, sizeof mine.nonce);
        (Line{} << "key ").hex(got.key, PARTITA_PUBLIC_KEY_SIZE);
        (Line{} << "quote ").hex(&got.quote, sizeof got.quote);
    }
    kernel(SYS_EXIT, 0, 0, 0, 0, 0, 0);
    for (;;) {
    }
}
