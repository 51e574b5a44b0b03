// What BearSSL, as Debian compiles it, wants of a C library.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernel.hpp"
#include "partita/guest/guest.h"

extern "C" {
std::uint32_t __stack_chk_guard;
[[noreturn]] void __stack_chk_fail();
void* __memcpy_chk(void* to, const void* from, std::size_t size, std::size_t room);
void* __memmove_chk(void* to, const void* from, std::size_t size, std::size_t room);
void* __memset_chk(void* to, int value, std::size_t size, std::size_t room);

void __stack_chk_fail() { __builtin_trap(); }

// The library's own bounds: beyond them it is broken.
void* __memcpy_chk(void* to, const void* from, std::size_t size, std::size_t room) {
    if (size > room) __builtin_trap();
    return std::memcpy(to, from, size);
}
void* __memmove_chk(void* to, const void* from, std::size_t size, std::size_t room) {
    if (size > room) __builtin_trap();
    return std::memmove(to, from, size);
}
void* __memset_chk(void* to, int value, std::size_t size, std::size_t room) {
    if (size > room) __builtin_trap();
    return std::memset(to, value, size);
}
char* strncpy(char* to, const char* from, std::size_t size) {
    for (std::size_t n = 0; n < size; ++n) to[n] = *from != 0 ? *from++ : '\0';
    return to;
}
std::size_t strlen(const char* text) {
    std::size_t n = 0;
    while (text[n] != 0) ++n;
    return n;
}
}
