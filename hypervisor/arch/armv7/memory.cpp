// memcpy, memset and relatives: own ones, since the library's use unaligned accesses, which fault on device memory and
// while the MMU is off. Compiled so that the loops are not turned into calls of themselves.
#include <cstddef>
#include <cstdint>

namespace {

using Word = std::uint32_t;

struct Line {
    Word w[8];
};

[[nodiscard]] bool aligned(const void* a, const void* b) {
    return ((reinterpret_cast<std::uintptr_t>(a) | reinterpret_cast<std::uintptr_t>(b)) & (sizeof(Word) - 1)) == 0;
}

}  // namespace

extern "C" {

void* memcpy(void* __restrict to, const void* __restrict from, std::size_t size);
void* memset(void* to, int value, std::size_t size);
void* memmove(void* to, const void* from, std::size_t size);
int memcmp(const void* a, const void* b, std::size_t size);
void* memchr(const void* in, int value, std::size_t size);
std::size_t strlen(const char* text);
void __aeabi_memcpy(void* to, const void* from, std::size_t size);
void __aeabi_memcpy4(void* to, const void* from, std::size_t size);
void __aeabi_memcpy8(void* to, const void* from, std::size_t size);
void __aeabi_memmove(void* to, const void* from, std::size_t size);
void __aeabi_memmove4(void* to, const void* from, std::size_t size);
void __aeabi_memset(void* to, std::size_t size, int value);
void __aeabi_memset4(void* to, std::size_t size, int value);
void __aeabi_memset8(void* to, std::size_t size, int value);
void __aeabi_memclr(void* to, std::size_t size);
void __aeabi_memclr4(void* to, std::size_t size);
void __aeabi_memclr8(void* to, std::size_t size);

void* memcpy(void* __restrict to, const void* __restrict from, std::size_t size) {
    auto* out = static_cast<std::uint8_t*>(to);
    const auto* in = static_cast<const std::uint8_t*>(from);
    if (aligned(to, from)) {
        for (; size >= sizeof(Line); size -= sizeof(Line), out += sizeof(Line), in += sizeof(Line))
            *reinterpret_cast<Line*>(out) = *reinterpret_cast<const Line*>(in);
        for (; size >= sizeof(Word); size -= sizeof(Word), out += sizeof(Word), in += sizeof(Word))
            *reinterpret_cast<Word*>(out) = *reinterpret_cast<const Word*>(in);
    }
    for (; size != 0; --size) *out++ = *in++;
    return to;
}

void* memset(void* to, int value, std::size_t size) {
    auto* out = static_cast<std::uint8_t*>(to);
    const auto byte = static_cast<std::uint8_t>(value);
    if (aligned(out, out)) {
        const Word word = byte * 0x01010101u;
        for (; size >= sizeof(Line); size -= sizeof(Line), out += sizeof(Line))
            *reinterpret_cast<Line*>(out) = Line{{word, word, word, word, word, word, word, word}};
        for (; size >= sizeof(Word); size -= sizeof(Word), out += sizeof(Word)) *reinterpret_cast<Word*>(out) = word;
    }
    for (; size != 0; --size) *out++ = byte;
    return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
    auto* out = static_cast<std::uint8_t*>(to);
    const auto* in = static_cast<const std::uint8_t*>(from);
    if (out <= in) {
        for (; size != 0; --size) *out++ = *in++;
    } else {
        while (size-- != 0) out[size] = in[size];
    }
    return to;
}

int memcmp(const void* a, const void* b, std::size_t size) {
    const auto* left = static_cast<const std::uint8_t*>(a);
    const auto* right = static_cast<const std::uint8_t*>(b);
    for (; size != 0; --size, ++left, ++right)
        if (*left != *right) return *left - *right;
    return 0;
}

void* memchr(const void* in, int value, std::size_t size) {
    auto* at = static_cast<std::uint8_t*>(const_cast<void*>(in));
    for (; size != 0; --size, ++at)
        if (*at == static_cast<std::uint8_t>(value)) return at;
    return nullptr;
}

std::size_t strlen(const char* text) {
    std::size_t length = 0;
    while (text[length] != 0) ++length;
    return length;
}

// What clang calls by name (Run-time ABI for the Arm architecture §4.3.4); memset's arguments come in another order.
void __aeabi_memcpy(void* to, const void* from, std::size_t size) { memcpy(to, from, size); }
void __aeabi_memcpy4(void* to, const void* from, std::size_t size) { memcpy(to, from, size); }
void __aeabi_memcpy8(void* to, const void* from, std::size_t size) { memcpy(to, from, size); }
void __aeabi_memmove(void* to, const void* from, std::size_t size) { memmove(to, from, size); }
void __aeabi_memmove4(void* to, const void* from, std::size_t size) { memmove(to, from, size); }
void __aeabi_memset(void* to, std::size_t size, int value) { memset(to, value, size); }
void __aeabi_memset4(void* to, std::size_t size, int value) { memset(to, value, size); }
void __aeabi_memset8(void* to, std::size_t size, int value) { memset(to, value, size); }
void __aeabi_memclr(void* to, std::size_t size) { memset(to, 0, size); }
void __aeabi_memclr4(void* to, std::size_t size) { memset(to, 0, size); }
void __aeabi_memclr8(void* to, std::size_t size) { memset(to, 0, size); }
}
